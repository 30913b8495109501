"""Layers on a batch of no examples: an empty result, gradients that are empty or 0. Where there must be some, an error."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn import (
    GRU,
    LSTM,
    MLP,
    RNN,
    Attention,
    Dropout,
    Embedding,
    Experts,
    LayerNorm,
    Linear,
    PatchEmbedding,
    PostNormBlock,
    RMSNorm,
    Routing,
    SwiGLU,
    TransformerBlock,
    balance_loss,
)  # fmt: skip

RNG = np.random.default_rng(3)
MAKE = {"rng": RNG, "dtype": np.float64}
WIDTH = {
    Linear: lambda: Linear(4, 3, **MAKE), Dropout: lambda: Dropout(0.5), LayerNorm: lambda: LayerNorm(4, dtype=np.float64),
    RMSNorm: lambda: RMSNorm(4, dtype=np.float64), MLP: lambda: MLP(4, **MAKE), SwiGLU: lambda: SwiGLU(4, 5, **MAKE),
    Experts: lambda: Experts(4, 5, 3, 2, **MAKE), RNN: lambda: RNN(4, 3, **MAKE), GRU: lambda: GRU(4, 3, **MAKE),
    LSTM: lambda: LSTM(4, 3, **MAKE), Attention: lambda: Attention(4, 2, **MAKE),
    TransformerBlock: lambda: TransformerBlock(LayerNorm(4, dtype=np.float64), Attention(4, 2, **MAKE),
                                               LayerNorm(4, dtype=np.float64), MLP(4, **MAKE)),
    PostNormBlock: lambda: PostNormBlock(Attention(4, 2, **MAKE), LayerNorm(4, dtype=np.float64), MLP(4, **MAKE),
                                         LayerNorm(4, dtype=np.float64)),
}  # fmt: skip


def outputs(y):
    return (
        [y]
        if isinstance(y, Tensor)
        else [part for each in y for part in outputs(each)]
        if isinstance(y, tuple)
        else [*y]
    )


def checked(layer, of_none, of_some):
    found, expected = outputs(layer(of_none)), outputs(layer(of_some))
    for f, e in zip(found, expected, strict=True):
        assert f.shape == (0, *e.shape[1:]) and f.dtype == e.dtype
    found[0].backward(np.zeros(found[0].shape)) if found[0].requires_grad else None
    for p in layer.parameters():
        assert p.grad is None or (p.grad.shape == p.shape and not p.grad.any())


@pytest.mark.parametrize("kind", WIDTH, ids=lambda kind: kind.__name__)
def test_a_layer_of_no_examples_gives_none_and_learns_nothing(kind):
    x = Tensor(np.empty((0, 3, 4)), requires_grad=True)
    checked(WIDTH[kind](), x, Tensor(RNG.normal(size=(2, 3, 4))))
    assert x.grad.shape == x.shape


def test_no_tokens_and_no_pictures_are_embedded():
    checked(Embedding(5, 4, **MAKE), np.empty((0, 3), int), np.zeros((2, 3), int))
    checked(PatchEmbedding(1, 2, 4, **MAKE), np.empty((0, 1, 4, 4)), np.zeros((2, 1, 4, 4)))


def test_a_balance_of_nothing_is_refused():
    none = Routing(Tensor(np.empty((0, 3))), np.empty((0, 2), int))
    for routed in ([], [none], [none, none]):
        with pytest.raises(ArgumentError, match="routed"):
            balance_loss(routed)
    some = Routing(Tensor(np.full((2, 3), 1 / 3)), np.array([[0, 1], [2, 0]]))
    assert balance_loss([none, some]).item() == pytest.approx(balance_loss([some]).item())
