"""Lengths, windows, softcaps, masks, values of another width: every way of attention against loops of the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_llm.ops.attention_blocks import BlockedAttention
from tinygrad_llm.ops.attention_plain import PlainAttention

EQUAL = {"rtol": 1e-10, "atol": 1e-10}


def seen_keys(b, t, time, source, lengths=None, causal=False, window=None, **others):
    """The keys that query t of example b sees: none of padding, future, or what its window has left behind."""
    length = source if lengths is None else int(lengths[b])
    last = t + length - time if causal else length - 1
    first = 0 if window is None else last - window + 1
    return [s for s in range(source) if s < length and first <= s <= last]


def definition(q, k, v, mask=None, scale=None, softcap=None, **options):
    """Query by query. (B, H, T, K), (B, G, S, K), (B, G, S, J) -> (B, H, T, J)"""
    (batch, heads, time, size), (_, groups, source, width) = q.shape, v.shape
    scale, out = 1 / math.sqrt(size) if scale is None else scale, np.zeros((batch, heads, time, width))
    mask = np.ones((1, 1, 1, 1), bool) if mask is None else mask
    mask = np.broadcast_to(mask, (batch, heads, time, source))
    for b, h, t in np.ndindex(batch, heads, time):
        group, weights = h // (heads // groups), {}
        for s in seen_keys(b, t, time, source, **options):
            score = scale * float(q[b, h, t] @ k[b, group, s])
            score = score if softcap is None else softcap * math.tanh(score / softcap)
            if not mask[b, h, t, s] if mask.dtype == bool else mask[b, h, t, s] == -math.inf:
                continue
            weights[s] = math.exp(score + (0 if mask.dtype == bool else mask[b, h, t, s]))
        for s, weight in weights.items():
            out[b, h, t] += weight / sum(weights.values()) * v[b, group, s]
    return out


def composed(arrays, g, options):
    """Value and gradients of the readable form."""
    return of_tensors(ops.composed.attention, arrays, g, options)


def dispatched(arrays, g, options):
    """Of what `ops.attention` chooses."""
    return of_tensors(ops.attention, arrays, g, options)


def of_tensors(function, arrays, g, options):
    leaves = [Tensor(a.copy(), requires_grad=True) for a in arrays]
    out = function(*leaves, **options)
    out.backward(g)
    return [out.data, *(leaf.grad for leaf in leaves)]


def of_class(way):
    """Of one way by itself, as `ops.attention` calls it."""

    def run(arrays, g, options):
        q, k, v = (a.copy() for a in arrays)
        options = dict(options)
        batch, heads, time, size = q.shape
        shape = (batch, k.shape[1], heads // k.shape[1], time)
        scale, causal = options.pop("scale", None), options.pop("causal", False)
        mask = options.pop("mask", None)
        if mask is not None:
            mask = np.broadcast_to(mask, (batch, heads, time, k.shape[2])).reshape(*shape, k.shape[2])
        scale = 1 / math.sqrt(size) if scale is None else scale
        call = way(q.reshape(*shape, size), k, v, mask, causal, scale, None, **options)
        out, (dq, dk, dv) = np.full(g.shape, np.nan), (np.full(a.shape, np.nan) for a in arrays)
        call.forward(out.reshape(*shape, v.shape[-1]))
        call.backward(g.reshape(*shape, v.shape[-1]), dq.reshape(*shape, size), dk, dv, False)
        return [out, dq, dk, dv]

    return run


WAYS = {
    "composed": composed,
    "dispatched": dispatched,
    "plain": of_class(PlainAttention),
    "blocks": of_class(BlockedAttention),
}
every_way = pytest.mark.parametrize("way", WAYS)


@st.composite
def calls(draw):
    """(q, k, v), a cotangent, and options."""
    small = st.integers(1, 4)
    batch, groups, repeats, time, size, width = (draw(st.integers(1, n)) for n in (3, 2, 2, 6, 3, 4))
    source, rng = draw(st.integers(1, 8)), np.random.default_rng(draw(st.integers(0, 999)))
    heads = groups * repeats
    options = {"causal": draw(st.booleans()), "scale": draw(st.sampled_from([None, 0.3])),
               "softcap": draw(st.sampled_from([None, 0.7, 30.0]))}  # fmt: skip
    if draw(st.booleans()):
        options["lengths"] = rng.integers(0, source + 1, batch)
    if options["causal"] and draw(st.booleans()):
        options["window"] = draw(small)
    kind = draw(st.sampled_from(["none", "pairs", "keys", "numbers"]))
    if kind != "none":
        shape = {
            "pairs": (batch, heads, time, source),
            "keys": (batch, 1, 1, source),
            "numbers": (heads, time, source),
        }[kind]
        hidden = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))  # in the end all keys of a query
        options["mask"] = np.where(hidden, -math.inf, rng.normal(size=shape)) if kind == "numbers" else ~hidden
    arrays = [2 * rng.normal(size=s) for s in ((batch, heads, time, size), (batch, groups, source, size))]
    arrays.append(rng.normal(size=(batch, groups, source, width)))
    return arrays, rng.normal(size=(batch, heads, time, width)), options


@every_way
@given(call=calls())
@settings(max_examples=settings().max_examples // 2)
def test_each_way_is_the_definition_and_its_gradient(way, call):
    arrays, g, options = call
    found = WAYS[way](arrays, g, options)
    np.testing.assert_allclose(found[0], definition(*arrays, **options), **EQUAL)
    for mine, expected in zip(found[1:], composed(arrays, g, options)[1:]):
        np.testing.assert_allclose(mine, expected, **EQUAL)


OPTIONS = [
    {}, {"causal": True}, {"lengths": np.array([3, 0])}, {"causal": True, "lengths": np.array([5, 2])},
    {"causal": True, "window": 2}, {"causal": True, "window": 3, "lengths": np.array([4, 5]), "softcap": 0.8},
    {"softcap": 0.5}, {"softcap": 1.5, "mask": np.linspace(-1, 1, 15).reshape(3, 5)},
]  # fmt: skip


@every_way
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_are_differences_of_the_definition(way, options):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((2, 2, 3, 2), (2, 1, 5, 2), (2, 1, 5, 3))]
    g, step = rng.normal(size=(2, 2, 3, 3)), 1e-6
    for array, gradient in zip(arrays, WAYS[way](arrays, g, options)[1:]):
        for place in np.ndindex(array.shape):
            kept, values = array[place], []
            for sign in (1, -1):
                array[place] = kept + sign * step
                values.append((definition(*arrays, **options) * g).sum())
            array[place] = kept
            assert gradient[place] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-7)


@every_way
def test_what_stands_in_the_padding_is_never_read(way):
    rng, lengths = np.random.default_rng(1), np.array([4, 0, 6])
    arrays = [rng.normal(size=s) for s in ((3, 4, 3, 2), (3, 2, 6, 2), (3, 2, 6, 5))]
    g = rng.normal(size=(3, 4, 3, 5))
    for options in (
        {"lengths": lengths},
        {"lengths": lengths, "causal": True},
        {"lengths": lengths, "causal": True, "window": 2},
    ):
        before = WAYS[way](arrays, g, options)
        changed = [a.copy() for a in arrays]
        for array, row in ((changed[1], 0), (changed[2], 0), (changed[1], 1), (changed[2], 1)):
            array[row, :, lengths[row] :] += 7.0
        for mine, theirs in zip(before, WAYS[way](changed, g, options)):
            np.testing.assert_allclose(mine, theirs, **EQUAL)
        for gradient in before[2:]:
            assert not gradient[0, :, 4:].any() and not gradient[1].any() and gradient[2].any()
        assert not before[0][1].any() and not before[1][1].any()  # who sees no key gives 0, and has no gradient


@every_way
def test_scores_may_be_far_from_zero_and_from_one_another(way):
    """exp would overflow, or be 0 for all keys of a query, if anything but the query's own largest score were taken off."""
    k, v = np.array([[1.0, 0], [0, 1]]).reshape(1, 1, 2, 2), np.array([1.0, 2]).reshape(1, 1, 2, 1)
    q = np.array([[4e3, 4e3], [-4e3, -4e3], [4e3, 0], [0, 0]]).reshape(1, 1, 4, 2)
    found = WAYS[way]([q, k, v], np.ones((1, 1, 4, 1)), {"scale": 1.0})[0]
    np.testing.assert_allclose(found.reshape(-1), [1.5, 1.5, 1, 1.5], rtol=1e-12)
    low = np.array([[-740.0, -741.0], [-739.0, -741.5]]).reshape(1, 1, 2, 2)  # whose exponentials hold few digits
    found = WAYS[way]([low, k, v], np.ones((1, 1, 2, 1)), {"scale": 1.0})[0]
    np.testing.assert_allclose(found.reshape(-1), [1 + 1 / (1 + math.e), 1 + 1 / (1 + math.exp(2.5))], rtol=1e-12)


@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"composed"}))  # whose softmax refuses an empty axis
def test_without_keys_all_queries_give_0(way):
    arrays = [np.ones((2, 2, 3, 2)), np.ones((2, 1, 0, 2)), np.ones((2, 1, 0, 5))]
    out, dq, dk, dv = WAYS[way](arrays, np.ones((2, 2, 3, 5)), {})
    assert out.shape == (2, 2, 3, 5) and not out.any() and not dq.any() and dk.size == dv.size == 0


@every_way
def test_a_batch_without_examples_gives_none_and_no_gradient(way):
    arrays = [np.ones((0, *s)) for s in ((2, 3, 2), (1, 4, 2), (1, 4, 5))]
    for options in ({}, {"lengths": np.zeros(0, int)}, {"lengths": np.zeros(0, int), "causal": True, "window": 2}):
        found = WAYS[way](arrays, np.ones((0, 2, 3, 5)), options)
        assert [a.shape for a in found] == [(0, 2, 3, 5), *(a.shape for a in arrays)]


@every_way
def test_queries_of_a_cache_are_the_last_rows_of_the_whole(way):
    """lengths say where the queries stand: T new tokens behind lengths - T that were there."""
    rng, lengths, time = np.random.default_rng(2), np.array([7, 4, 5]), 3
    q, k, v = (rng.normal(size=(3, 2, 7, n)) for n in (3, 3, 2))
    for options in ({"causal": True}, {"causal": True, "window": 3}):
        last = np.stack([q[b, :, n - time : n] for b, n in enumerate(lengths)])
        found = WAYS[way]([last, k, v], np.ones((3, 2, time, 2)), options | {"lengths": lengths})[0]
        for b, n in enumerate(lengths):
            alone = [a[b : b + 1, :, :n] for a in (q, k, v)]
            np.testing.assert_allclose(found[b], definition(*alone, **options)[0, :, n - time :], **EQUAL)


@given(call=calls())
@settings(max_examples=settings().max_examples // 4)
def test_packed_attention_is_attention_of_its_parts(call):
    (q, k, _), _, options = call
    options = {name: value for name, value in options.items() if name != "mask"} | {"causal": True}
    time = min(q.shape[2], k.shape[2])
    rng = np.random.default_rng(time)
    q, k, v = q[:, :, :time], k[:, :, :time], rng.normal(size=(*k.shape[:2], time, k.shape[3]))
    if "lengths" in options:
        options["lengths"] = np.minimum(options["lengths"], time)
    g = rng.normal(size=q.shape)
    flat = lambda x: x.transpose(0, 2, 1, 3).reshape(len(x), time, -1)
    packed = Tensor(np.concatenate([flat(q), flat(k), flat(v)], -1), requires_grad=True)
    out = ops.packed_attention(packed, n_head=q.shape[1], n_kv_head=k.shape[1], **options)
    out.backward(flat(g))
    value, *gradients = composed([q, k, v], g, options)
    np.testing.assert_allclose(out.data, flat(value), **EQUAL)
    np.testing.assert_allclose(packed.grad, np.concatenate(list(map(flat, gradients)), -1), **EQUAL)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"window": 2}, ArgumentError, "without causal"), ({"window": 0, "causal": True}, ArgumentError, "window"),
        ({"softcap": 0.0}, ArgumentError, "softcap"), ({"softcap": -1.0}, ArgumentError, "softcap"),
        ({"softcap": math.inf}, ArgumentError, "softcap"), ({"lengths": np.array([1])}, ShapeError, "lengths"),
        ({"lengths": np.array([[1, 2]])}, ShapeError, "lengths"), ({"lengths": np.array([1.0, 2.0])}, DtypeError, "lengths"),
        ({"lengths": np.array([True, False])}, DtypeError, "lengths"), ({"lengths": np.array([1, 6])}, ArgumentError, "0 to S = 5"),
        ({"lengths": [-1, 3]}, ArgumentError, "0 to S = 5"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(options, error, words):
    q, k = Tensor(np.ones((2, 2, 3, 2))), Tensor(np.ones((2, 2, 5, 2)))
    with pytest.raises(error, match=words):
        ops.attention(q, k, k, **options)


def test_lengths_may_be_a_list():
    q, k = Tensor(np.ones((2, 2, 3, 2))), Tensor(np.arange(40.0).reshape(2, 2, 5, 2))
    found = ops.attention(q, k, k, lengths=[2, 5]).data
    np.testing.assert_array_equal(found, ops.attention(q, k, k, lengths=np.array([2, 5])).data)


def test_through_a_window_of_1_each_position_sees_itself_alone():
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 3, 5, 4))
    np.testing.assert_allclose(ops.attention(q, k, v, causal=True, window=1).data, v, **EQUAL)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_dropout_of_the_weights_is_a_probability_also_where_it_has_a_generator(p):
    x = np.ones((1, 1, 2, 2))
    with pytest.raises(ArgumentError) as found:
        ops.attention(x, x, x, p=p, rng=np.random.default_rng(0))
    assert found.value.name == "p"


def test_heads_without_a_size_are_refused_by_name():
    with pytest.raises(ShapeError, match="q: expected a head size of at least 1"):
        ops.attention(*np.ones((3, 1, 2, 3, 0)))
