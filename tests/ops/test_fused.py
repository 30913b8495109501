"""The fast second floor equals the readable first one, in value and in gradient."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import GradientSink, Tensor
from tinygrad_llm.errors import GradientError
from tinygrad_llm.ops import attention_blocks, composed

loss_module = sys.modules["tinygrad_llm.ops.loss"]
RNG = np.random.default_rng(0)


def both(fused, plain, arrays, tolerance=1e-10, **options):
    """Value and all gradients of the two, under one random cotangent."""
    results = []
    for function in (fused, plain):
        leaves = [
            Tensor(a.copy(), requires_grad=True) if getattr(a, "dtype", None) == np.float64 else a for a in arrays
        ]
        out = function(*leaves, **options)
        out.backward(np.random.default_rng(1).normal(size=out.shape))
        results.append([out.data, *(leaf.grad for leaf in leaves if isinstance(leaf, Tensor))])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


def normal(*shape):
    return RNG.normal(size=shape)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (1, 5), (700, 96)])
def test_norms_and_linear(shape):
    d = shape[-1]
    both(ops.layer_norm, composed.layer_norm, [normal(*shape), normal(d), normal(d)])
    both(ops.layer_norm, composed.layer_norm, [normal(*shape), normal(d)])
    both(ops.layer_norm, composed.layer_norm, [normal(*shape)])
    both(
        lambda x, b: ops.layer_norm(x, None, b),
        lambda x, b: composed.layer_norm(x, None, b),
        [normal(*shape), normal(d)],
    )
    both(ops.rms_norm, composed.rms_norm, [normal(*shape), normal(d)])
    both(ops.rms_norm, composed.rms_norm, [normal(*shape)])
    both(ops.linear, composed.linear, [normal(*shape), normal(4, d), normal(4)])
    both(ops.linear, composed.linear, [normal(*shape), normal(4, d)])
    joint = [normal(4, d), normal(2, d), normal(3, d)]
    both(ops.joint_linear, composed.joint_linear, [normal(*shape), *joint])
    both(ops.joint_linear, composed.joint_linear, [normal(*shape), *joint, normal(4), normal(2), normal(3)])


def test_norms_keep_a_large_mean_from_drowning_the_differences():
    x = np.float32(1e4) + RNG.normal(size=(4, 64)).astype(np.float32)
    exact = composed.layer_norm(Tensor(x.astype(np.float64))).data
    np.testing.assert_allclose(ops.layer_norm(x).data, exact, atol=1e-2)


@pytest.mark.parametrize("shape", [(3, 5), (), (7,), (900, 130)])
def test_activations(shape):
    for approximate in ("none", "tanh"):
        both(ops.gelu, composed.gelu, [2 * normal(*shape)], approximate=approximate)
        if shape:
            both(ops.gelu, composed.gelu, [normal(*shape), normal(shape[-1])], approximate=approximate)
    both(ops.swiglu, composed.swiglu, [normal(*shape), normal(*shape)])


@pytest.mark.parametrize("rows", [7, 600])
def test_embedding(rows):
    both(ops.embedding, composed.embedding, [normal(rows, 3), RNG.integers(0, rows, (4, 9))])


def test_rope():
    cos, sin = ops.rope_table(np.arange(6), 8)
    both(ops.rope, composed.rope, [normal(2, 3, 6, 8)], cos=cos, sin=sin)


HEADS = [(1, 1), (4, 2), (6, 1), (3, 3)]
LENGTHS = [(1, 1), (5, 5), (1, 9), (4, 9), (9, 4), (150, 150), (130, 200)]


@pytest.mark.parametrize(("heads", "lengths", "causal"), list(product(HEADS, LENGTHS, [False, True])))
def test_attention(heads, lengths, causal):
    (h, g), (t, s) = heads, lengths
    arrays = [normal(2, h, t, 4), normal(2, g, s, 4), normal(2, g, s, 4)]
    both(ops.attention, composed.attention, arrays, causal=causal)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", [(2, 4, 6, 7), (1, 1, 6, 7), (6, 7), (2, 1, 1, 7)])
def test_attention_with_masks(shape, causal):
    arrays = [normal(2, 4, 6, 4), normal(2, 2, 7, 4), normal(2, 2, 7, 4)]
    allowed = RNG.random(shape) < 0.6
    both(ops.attention, composed.attention, [*arrays, allowed], causal=causal)
    both(ops.attention, composed.attention, [*arrays, normal(*shape)], causal=causal)  # and its gradient


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1000.0])
def test_attention_with_scores_of_any_size(scale):
    arrays = [normal(1, 2, 140, 4), normal(1, 2, 140, 4), normal(1, 2, 140, 4)]
    both(ops.attention, composed.attention, arrays, tolerance=1e-8, causal=True, scale=scale)


@pytest.mark.parametrize("shift", [-60.0, -30.0, 30.0, 700.0])
def test_attention_with_scores_far_from_zero(shift):
    mask = np.full((5, 5), shift)
    both(ops.attention, composed.attention, [*(normal(1, 2, 5, 4) for _ in range(3)), mask])


def test_a_hidden_score_however_large_changes_nothing():
    q, k, v = normal(1, 1, 6, 4), normal(1, 1, 6, 4), normal(1, 1, 6, 4)
    before = ops.attention(q, k, v, causal=True).data[:, :, :3]
    k[:, :, 4:] *= 1e4
    np.testing.assert_allclose(ops.attention(q, k, v, causal=True).data[:, :, :3], before, rtol=1e-12)


def test_a_query_that_may_look_nowhere_answers_zero_and_has_no_gradient():
    q, k, v = (Tensor(normal(1, 1, 3, 4), True) for _ in range(3))
    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    out = ops.attention(q, k, v, mask)
    out.backward(np.ones(out.shape))
    assert not out.data[0, 0, 1].any() and not q.grad[0, 0, 1].any()
    assert np.isfinite(k.grad).all() and out.data[0, 0, 0].any()


@pytest.mark.parametrize("block", [16, 64 * 1024, 1 << 30])
def test_attention_in_blocks_of_any_size(block, monkeypatch):
    monkeypatch.setattr(attention_blocks, "BLOCK_BYTES", block)
    monkeypatch.setattr(attention_blocks, "QUERY_BLOCK", 3)
    arrays = [normal(3, 4, 10, 4), normal(3, 2, 10, 4), normal(3, 2, 10, 4)]
    both(ops.attention, composed.attention, arrays, causal=True)


class SameAgain:
    """A generator that draws the same numbers each time."""

    def random(self, shape, dtype=np.float64):
        return np.random.default_rng(3).random(shape, dtype)


@pytest.mark.parametrize("mask", [None, "bool", "numbers"])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_with_all_scores_in_memory_is_the_same(mask, causal, monkeypatch):
    attention = sys.modules["tinygrad_llm.ops.attention"]  # ops.attention is the function
    monkeypatch.setattr(attention, "BlockedAttention", attention.PlainAttention)
    arrays = [normal(2, 4, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 4)]
    shown = {"bool": np.arange(5) % 3 > 0, "numbers": normal(2, 1, 3, 5), None: None}[mask]
    if mask == "bool":
        shown = np.broadcast_to(shown, (3, 5)).copy()
        shown[1] = False  # a query that may look nowhere
    both(ops.attention, composed.attention, arrays if mask is None else [*arrays, shown], causal=causal, scale=0.7)
    both(ops.attention, composed.attention, arrays, p=0.4, rng=SameAgain(), causal=causal)


@pytest.mark.parametrize(("heads", "groups", "time"), [(2, 2, 5), (4, 2, 5), (3, 1, 140)])
def test_packed_attention_is_attention_on_the_parts(heads, groups, time):
    qkv = normal(2, time, (heads + 2 * groups) * 4)
    both(ops.packed_attention, composed.packed_attention, [qkv], n_head=heads, n_kv_head=groups)
    both(
        ops.packed_attention, composed.packed_attention, [qkv], n_head=heads, n_kv_head=groups, causal=False, scale=0.3
    )


def test_attention_drops_the_same_weights_on_both_floors():
    arrays = [normal(2, 4, 5, 4), normal(2, 2, 7, 4), normal(2, 2, 7, 4)]
    fused, plain = (f(*arrays, p=0.4, rng=np.random.default_rng(7)).data for f in (ops.attention, composed.attention))
    np.testing.assert_allclose(fused, plain, rtol=1e-12)
    assert not np.allclose(plain, composed.attention(*arrays).data)


def recurrent_arrays(gates, time=6):
    sizes = [(3, time, 4), (gates * 5, 4), (gates * 5, 5), (gates * 5,), (gates * 5,), (3, 5), (3, 5)]
    return [normal(*shape) for shape in sizes[: 7 if gates == 4 else 6]]


@pytest.mark.parametrize("given", [3, 4, 5, 6, 7])
@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrence(name, gates, given):
    for time in (1, 2, 9):
        both(getattr(ops, name), getattr(composed, name), recurrent_arrays(gates, time)[:given])


@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrence_asks_for_each_gradient_alone_and_never_shares_one(name, gates):
    arrays = recurrent_arrays(gates)
    g = normal(*getattr(ops, name)(*arrays).shape)
    every = [Tensor(a, requires_grad=True) for a in arrays]
    getattr(ops, name)(*every).backward(g)
    assert every[3].grad is not every[4].grad
    for i in range(len(arrays)):
        one = [Tensor(a, requires_grad=j == i) for j, a in enumerate(arrays)]
        getattr(ops, name)(*one).backward(g)
        np.testing.assert_allclose(one[i].grad, every[i].grad, rtol=1e-12)


@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrence_can_go_back_twice_and_leaves_its_inputs_alone(name, gates):
    arrays = recurrent_arrays(gates)
    kept = [a.copy() for a in arrays]
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    out = getattr(ops, name)(*leaves)
    g, value = normal(*out.shape), out.data.copy()
    out.backward(g, retain_graph=True)
    once = [leaf.grad.copy() for leaf in leaves]
    out.backward(g)
    for leaf, first, before in zip(leaves, once, kept):
        np.testing.assert_array_equal(leaf.grad, 2 * first)
        np.testing.assert_array_equal(leaf.data, before)
    np.testing.assert_array_equal(out.data, value)


@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrence_writes_into_a_sink_what_it_would_hand_back(name, gates):
    leaves = [Tensor(a, requires_grad=True) for a in recurrent_arrays(gates)]
    g = normal(*getattr(ops, name)(*leaves).shape)
    getattr(ops, name)(*leaves).backward(g)
    flat = Tensor(np.full(sum(leaf.size for leaf in leaves), np.nan)).data.copy()  # where the leaves are
    sink = GradientSink(leaves, flat)
    for _ in range(2):  # the second is added to the first
        getattr(ops, name)(*leaves).backward(g, into=sink)
    np.testing.assert_allclose(flat, 2 * np.concatenate([leaf.grad.reshape(-1) for leaf in leaves]), rtol=1e-12)


TARGETS = np.array([[0, 3, -100], [4, 4, 1]])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_cross_entropy_with_class_weights(smoothing, reduction):
    def weighted(f):
        weight = np.array([0.5, 2.0, 0.0, 1.0, 3.0])
        return lambda x, t, **options: f(x, t, weight, **options)

    arrays, options = [normal(2, 3, 5), TARGETS], {"label_smoothing": smoothing, "reduction": reduction}
    both(weighted(ops.cross_entropy), weighted(composed.cross_entropy), arrays, **options)
    both(weighted(ops.cross_entropy), weighted(composed.cross_entropy), arrays, **options, divisor=7.0)


def test_equal_class_weights_change_no_mean_and_want_no_gradient():
    x, weight = Tensor(normal(2, 3, 5), requires_grad=True), Tensor(np.full(5, 3.0), requires_grad=True)
    loss = ops.cross_entropy(x, TARGETS, weight.detach(), label_smoothing=0.1)
    assert loss.item() == pytest.approx(ops.cross_entropy(x, TARGETS, label_smoothing=0.1).item(), rel=1e-12)
    with pytest.raises(GradientError, match="detach"):
        ops.cross_entropy(x, TARGETS, weight).backward()


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
def test_cross_entropy(smoothing):
    both(ops.cross_entropy, composed.cross_entropy, [normal(2, 3, 5), TARGETS], label_smoothing=smoothing)
    both(ops.cross_entropy, composed.cross_entropy, [normal(2, 3, 5), TARGETS], divisor=7)
    for reduction in ("sum", "none"):
        both(ops.cross_entropy, composed.cross_entropy, [normal(2, 3, 5), TARGETS], reduction=reduction)


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("tile", [1, 100, 1 << 22])
def test_cross_entropy_fused_with_the_projection(smoothing, tile, monkeypatch):
    monkeypatch.setattr(loss_module, "LOGIT_TILE_BYTES", tile)
    arrays = [normal(2, 3, 4), normal(5, 4), TARGETS]
    both(ops.linear_cross_entropy, composed.linear_cross_entropy, arrays, label_smoothing=smoothing)


def test_a_divisor_makes_the_parts_of_a_batch_add_up():
    x, w = normal(4, 3, 4), normal(5, 4)
    targets = RNG.integers(0, 5, (4, 3))
    targets[0] = -100
    whole = ops.linear_cross_entropy(x, w, targets).item()
    parts = [ops.linear_cross_entropy(x[i : i + 1], w, targets[i : i + 1], divisor=9).item() for i in range(4)]
    assert sum(parts) == pytest.approx(whole, rel=1e-12)
    same = sum(ops.cross_entropy(x[i] @ w.T, targets[i], divisor=9).item() for i in range(4))
    assert same == pytest.approx(whole, rel=1e-12)


def test_reductions_of_cross_entropy_fit_one_another():
    logits, targets = normal(2, 3, 5), TARGETS
    each = ops.cross_entropy(logits, targets, reduction="none").data
    assert each.shape == (2, 3) and each[0, 2] == 0
    assert ops.cross_entropy(logits, targets, reduction="sum").item() == pytest.approx(each.sum())
    assert ops.cross_entropy(logits, targets).item() == pytest.approx(each.sum() / 5)
