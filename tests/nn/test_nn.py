"""Claims about modules: the tree, its names, its state, and layers that do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.errors import ArgumentError, CheckpointError
from tinygrad_llm.nn import (
    MLP,
    Attention,
    Dropout,
    Embedding,
    LayerNorm,
    Linear,
    Module,
    Parameter,
    RMSNorm,
    SwiGLU,
    TransformerBlock,
)

F8 = np.float64


def rng():
    return np.random.default_rng(0)


def causal(*sizes, **options):
    return Attention(*sizes, causal=True, **options)


class Tied(Module):
    def __init__(self):
        self.a = Linear(2, 2, rng=rng())
        self.layers = [Linear(2, 3, bias=False, rng=rng()), LayerNorm(3)]
        self.b = self.a
        self.scale = Parameter([1.0])


def test_names_follow_the_tree_and_a_shared_parameter_has_one():
    names = [name for name, _ in Tied().named_parameters()]
    assert names == ["scale", "a.weight", "a.bias", "layers.0.weight", "layers.1.weight", "layers.1.bias"]
    assert Tied().n_parameters() == 1 + 6 + 6 + 6
    assert "layers.1: LayerNorm(weight [3], bias [3])" in repr(Tied())


def test_loading_copies_into_the_same_memory():
    model, state = Tied(), {k: v + 1 for k, v in Tied().state_dict().items()}
    kept = model.a.weight.data
    model.load_state_dict(state)
    assert model.a.weight.data is kept
    np.testing.assert_array_equal(kept, state["a.weight"])


def test_loading_lists_all_that_is_wrong_and_changes_nothing():
    model = Tied()
    before = {k: v.copy() for k, v in model.state_dict().items()}
    state = {k: v + 1 for k, v in before.items()}
    del state["scale"]
    state["extra"] = np.ones(1)
    state["a.bias"] = np.ones(5)
    state["a.weight"] = np.ones((2, 2), int)
    with pytest.raises(CheckpointError) as found:
        model.load_state_dict(state)
    for part in ("missing scale", "extra extra", "a.bias of shape (5,) instead of (2,)", "a.weight of dtype int64"):
        assert part in str(found.value)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_layers_compute_their_formulas():
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    layer = Linear(4, 5, rng=rng(), dtype=F8)
    layer.bias.assign(np.arange(5.0))
    np.testing.assert_allclose(layer(Tensor(x)).data, x @ layer.weight.data.T + np.arange(5), rtol=1e-12)
    table = Embedding(7, 4, rng=rng(), dtype=F8)
    np.testing.assert_array_equal(table(np.array([6, 0])).data, table.weight.data[[6, 0]])
    norm = LayerNorm(4, dtype=F8)(Tensor(x)).data
    np.testing.assert_allclose((norm.mean(-1), norm.std(-1)), (np.zeros((2, 3)), np.ones((2, 3))), atol=1e-3)  # eps
    rms = RMSNorm(4, dtype=F8)(Tensor(x)).data
    np.testing.assert_allclose((rms**2).mean(-1), 1, atol=1e-3)
    gate = SwiGLU(4, 6, rng=rng(), dtype=F8)
    g, u, d = (w.weight.data for w in (gate.gate_proj, gate.up_proj, gate.down_proj))
    z = x @ g.T
    np.testing.assert_allclose(gate(Tensor(x)).data, (z / (1 + np.exp(-z)) * (x @ u.T)) @ d.T, rtol=1e-10)
    assert not [name for name, _ in gate.named_parameters() if name.endswith("bias")]
    mlp = MLP(4, rng=rng(), dtype=F8)
    assert mlp.up_proj.weight.shape == (16, 4)
    hidden = ops.composed.gelu(Tensor(x @ mlp.up_proj.weight.data.T), approximate="tanh").data
    np.testing.assert_allclose(mlp(Tensor(x)).data, hidden @ mlp.down_proj.weight.data.T, rtol=1e-10)


def test_first_weights_have_the_deviation_asked_for():
    for make in (
        lambda std: MLP(64, rng=rng(), std=std, out_std=2 * std),
        lambda std: causal(64, 2, rng=rng(), std=std, out_std=2 * std),
    ):
        layer = make(0.1)
        is_mlp = isinstance(layer, MLP)
        inner = [layer.up_proj] if is_mlp else [layer.q_proj, layer.k_proj, layer.v_proj]
        outer = layer.down_proj if is_mlp else layer.o_proj
        assert np.std([part.weight.data for part in inner]) == pytest.approx(0.1, rel=0.03)
        assert outer.weight.data.std() == pytest.approx(0.2, rel=0.03)
        for part in inner:
            assert part.weight.data.std() == pytest.approx(0.1, rel=0.05)
            assert not part.bias.data.any() and (part.weight.dtype, part.bias.dtype) == (np.float32, np.float32)
    assert Embedding(50, 50, rng=rng()).weight.data.std() == pytest.approx(1.0, rel=0.05)
    assert Embedding(50, 50, rng=rng(), std=0.1).weight.data.std() == pytest.approx(0.1, rel=0.05)
    gate = SwiGLU(64, 64, rng=rng(), std=0.1)
    assert all(p.data.std() == pytest.approx(0.1, rel=0.05) for p in gate.parameters())


def test_a_part_without_bias_has_none():
    assert not [n for n, _ in MLP(4, bias=False, rng=rng()).named_parameters() if "bias" in n]
    assert not [n for n, _ in causal(4, 2, bias=False, rng=rng()).named_parameters() if "bias" in n]
    assert [n for n, _ in causal(4, 2, rng=rng()).named_parameters() if "bias" in n] == [
        f"{name}_proj.bias" for name in "qkvo"
    ]
    assert LayerNorm(4, bias=False).bias is None and Linear(2, 3, bias=False, rng=rng()).bias is None


def test_norms_use_their_epsilon():
    x = Tensor(np.zeros((1, 4)) + np.array([1e-3, -1e-3, 0, 0]))
    for layer in (LayerNorm, RMSNorm):
        assert (
            np.abs(layer(4, eps=1.0, dtype=F8)(x).data).max()
            < 2e-3
            < np.abs(layer(4, eps=1e-12, dtype=F8)(x).data).max()
        )
    assert LayerNorm(4).eps == 1e-5 and RMSNorm(4).eps == 1e-6


def test_a_new_linear_layer_keeps_the_variance():
    y = Linear(400, 400, rng=rng(), dtype=F8)(Tensor(np.random.default_rng(1).normal(size=(50, 400)))).data
    assert abs(y.var() - 1) < 0.05


@pytest.mark.parametrize("rope_base", [None, 100.0])
@pytest.mark.parametrize("n_kv_head", [None, 2, 1])
def test_future_tokens_do_not_change_past_outputs(rope_base, n_kv_head):
    layer = causal(8, 4, n_kv_head, rope_base=rope_base, rng=rng(), std=1.0, dtype=F8)
    x = np.random.default_rng(1).normal(size=(1, 6, 8))
    before = layer(Tensor(x)).data
    x[:, 4:] += 1
    after = layer(Tensor(x)).data
    # not to the bit: a block's scores decide together how exp is kept from overflowing
    np.testing.assert_allclose(before[:, :4], after[:, :4], rtol=1e-12, atol=1e-12)
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


def test_grouped_heads_share_keys():
    layer = causal(8, 4, 2, rng=rng(), std=1.0, dtype=F8)
    shapes = [part.weight.shape for part in (layer.q_proj, layer.k_proj, layer.v_proj)]
    assert shapes == [(4 * 2, 8), (2 * 2, 8), (2 * 2, 8)]
    x = Tensor(np.random.default_rng(1).normal(size=(2, 5, 8)))
    parts = layer.q_proj(x), layer.k_proj(x), layer.v_proj(x)
    q, k, v = (p.reshape(2, 5, -1, 2).transpose(0, 2, 1, 3) for p in parts)
    expected = ops.composed.attention(q, k, v, causal=True).transpose(0, 2, 1, 3).reshape(2, 5, 8)
    np.testing.assert_allclose(layer(x).data, layer.o_proj(expected).data, rtol=1e-10)


def test_rope_makes_attention_see_order():
    x = np.random.default_rng(1).normal(size=(1, 3, 8))
    swapped = x[:, [1, 0, 2]]
    plain = causal(8, 2, rng=rng(), std=1.0, dtype=F8)
    turned = causal(8, 2, rope_base=10.0, rng=rng(), std=1.0, dtype=F8)
    # the last position sees the same set of tokens either way
    np.testing.assert_allclose(plain(Tensor(x)).data[:, 2], plain(Tensor(swapped)).data[:, 2], rtol=1e-10)
    assert np.abs(turned(Tensor(x)).data[:, 2] - turned(Tensor(swapped)).data[:, 2]).max() > 1e-3


def test_dropout_is_active_exactly_when_an_rng_is_given():
    x = Tensor(np.ones((4, 5, 8)))
    layers = [
        Dropout(0.5),
        MLP(8, dropout=0.5, rng=rng(), dtype=F8),
        SwiGLU(8, 8, dropout=0.5, rng=rng(), dtype=F8),
        causal(8, 2, dropout=0.5, rng=rng(), dtype=F8),
        causal(8, 2, dropout=0.5, rope_base=10.0, rng=rng(), dtype=F8),
    ]
    for layer in layers:
        np.testing.assert_array_equal(layer(x).data, layer(x).data)
        with_rng = layer(x, rng=np.random.default_rng(0)).data
        assert np.abs(with_rng - layer(x).data).max() > 0
        np.testing.assert_array_equal(with_rng, layer(x, rng=np.random.default_rng(0)).data)
        halves = [
            layer(Tensor(x.data[part]), rng=KeyedStream(1, 1, part.start)).data for part in (slice(0, 2), slice(2, 4))
        ]
        np.testing.assert_array_equal(np.concatenate(halves), layer(x, rng=KeyedStream(1, 1)).data)


def test_a_block_adds_two_corrections_to_the_stream():
    block = TransformerBlock(LayerNorm(8), causal(8, 2, rng=rng()), LayerNorm(8), MLP(8, rng=rng()))
    for part in (block.attention.o_proj, block.mlp.down_proj):
        part.weight.assign(np.zeros(part.weight.shape))
    x = np.random.default_rng(1).normal(size=(1, 3, 8)).astype(np.float32)
    np.testing.assert_array_equal(block(Tensor(x)).data, x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Linear(0, 3, rng=rng()), lambda: Embedding(3, -1, rng=rng()), lambda: LayerNorm(2.5), lambda: RMSNorm(0),
        lambda: Dropout(1.0), lambda: Dropout(-0.1), lambda: causal(8, 3, rng=rng()),
        lambda: causal(8, 4, 3, rng=rng()), lambda: causal(6, 2, rope_base=10.0, rng=rng(), dtype=F8)(Tensor(np.ones((1, 2, 6)))),
    ],
)  # fmt: skip
def test_impossible_sizes_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


@pytest.mark.parametrize("sizes", [{"n_head": 0}, {"n_head": 2, "n_kv_head": 0}, {"n_head": 2.0}])
def test_heads_are_counted_from_one(sizes):
    with pytest.raises(ArgumentError, match="at least 1"):
        causal(4, **sizes, rng=np.random.default_rng(0))
