"""The two orders of a block, composed by hand of their parts."""

from __future__ import annotations

import numpy as np

from tinygrad_llm import Tensor
from tinygrad_llm.nn import MLP, Attention, LayerNorm, PostNormBlock, TransformerBlock

RNG = np.random.default_rng(0)
MAKE = {"rng": RNG, "dtype": np.float64}
X, MEMORY = Tensor(RNG.normal(size=(2, 3, 4))), Tensor(RNG.normal(size=(2, 5, 4)))


def norm():
    layer = LayerNorm(4, dtype=np.float64)
    layer.weight.assign(RNG.uniform(0.5, 1.5, 4))
    layer.bias.assign(RNG.normal(size=4))
    return layer


def test_before_the_parts_the_norm_after_them_the_sum():
    block = TransformerBlock(norm(), Attention(4, 2, **MAKE), norm(), MLP(4, **MAKE))
    x = X + block.attention(block.norm_1(X))
    np.testing.assert_allclose(block(X).data, (x + block.mlp(block.norm_2(x))).data, rtol=1e-12)


def test_after_the_parts_the_sum_and_then_the_norm():
    block = PostNormBlock(Attention(4, 2, **MAKE), norm(), MLP(4, **MAKE), norm(), Attention(4, 2, **MAKE), norm())
    x = block.self_attention_norm(X + block.self_attention(X))
    x = block.cross_attention_norm(x + block.cross_attention(x, MEMORY, lengths=np.array([5, 2])))
    expected = block.mlp_norm(x + block.mlp(x))
    found = block(X, memory=MEMORY, memory_options={"lengths": np.array([5, 2])})
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-12)
    alone = PostNormBlock(block.self_attention, block.self_attention_norm, block.mlp, block.mlp_norm)
    x = block.self_attention_norm(X + block.self_attention(X, lengths=np.array([3, 1])))
    np.testing.assert_allclose(
        alone(X, lengths=np.array([3, 1])).data, block.mlp_norm(x + block.mlp(x)).data, rtol=1e-12
    )
