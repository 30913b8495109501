"""Several linear layers in one product are one layer with the joined weights, wherever the weights lie in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm import ops
from tinygrad_llm.autograd import GradientSink, Tensor
from tinygrad_llm.backend import adjacent, joined
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.optim import SGD

EQUAL = {"rtol": 1e-12, "atol": 1e-12}
layers = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def arrays_for(outputs, bias, shape=(2, 3, 5), seed=0):
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(n, shape[-1])) for n in outputs] + [rng.normal(size=n) for n in outputs if bias]
    return rng.normal(size=shape), parts, rng.normal(size=(*shape[:-1], sum(outputs)))


def by_one_layer(x, parts, g):
    """Value and gradients of `linear` with the weights, and the biases, one below the other."""
    weights, biases = [a for a in parts if a.ndim == 2], [a for a in parts if a.ndim == 1]
    leaves = [Tensor(x, requires_grad=True), Tensor(np.concatenate(weights), requires_grad=True)]
    leaves += [Tensor(np.concatenate(biases), requires_grad=True)] if biases else []
    out = ops.composed.linear(*leaves)
    out.backward(g)
    ends = np.cumsum([len(w) for w in weights])[:-1]
    split = [part for leaf in leaves[1:] for part in np.split(leaf.grad, ends)]
    return out.data, leaves[0].grad, split


def parameters(parts, in_one_memory):
    """Leaves of these values; their arrays neighbours in an optimizer's memory, or each by itself."""
    found = [Tensor(a.copy(), requires_grad=True) for a in parts]
    return found, SGD(found, lr=0.1) if in_one_memory else None


@given(outputs=layers, bias=st.booleans(), in_one_memory=st.booleans(), seed=st.integers(0, 99))
def test_value_and_gradients_are_those_of_one_layer(outputs, bias, in_one_memory, seed):
    x, parts, g = arrays_for(outputs, bias, seed=seed)
    found, _ = parameters(parts, in_one_memory)
    mine = Tensor(x, requires_grad=True)
    out = ops.joint_linear(mine, *found)
    out.backward(g)
    value, dx, gradients = by_one_layer(x, parts, g)
    np.testing.assert_allclose(out.data, value, **EQUAL)
    np.testing.assert_allclose(mine.grad, dx, **EQUAL)
    for p, expected in zip(found, gradients, strict=True):
        np.testing.assert_allclose(p.grad, expected, **EQUAL)
        assert p.grad.shape == p.shape
    before = [p.grad.copy() for p in found]
    found[0].grad += 1  # each has a gradient of its own
    for p, kept in zip(found[1:], before[1:]):
        np.testing.assert_array_equal(p.grad, kept)


@given(outputs=st.lists(st.integers(1, 4), min_size=2, max_size=4), bias=st.booleans(), data=st.data())
@settings(max_examples=settings().max_examples // 2)
def test_gradients_go_into_the_sink_wherever_some_are_frozen_or_used_elsewhere(outputs, bias, data):
    """The sum of two uses, of which the first overwrites what the last step has left in the sink."""
    x, parts, g = arrays_for(outputs, bias)
    frozen = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)).filter(lambda f: not all(f)))
    also = data.draw(st.sampled_from([None, *range(len(outputs))]))  # a weight that another layer uses, too
    found = [Tensor(a.copy(), requires_grad=not off) for a, off in zip(parts, frozen)]
    optimizer = SGD(found, lr=0.1)
    sink = optimizer.flat.new_sink()
    sink.flat[...] = 99.0
    for factor in (1.0, 2.0):
        sink.clear()
        out = (ops.joint_linear(Tensor(x), *found) * Tensor(g)).sum() + (
            ops.joint_linear(Tensor(3 * x), *found) * Tensor(g)
        ).sum()
        if also is not None:
            out = out + ops.linear(Tensor(x), found[also]).sum()
        (out * factor).backward(into=sink)
        sink.finish()
        expected = [a + b for a, b in zip(by_one_layer(x, parts, g)[2], by_one_layer(3 * x, parts, g)[2])]
        if also is not None:
            expected[also] = expected[also] + np.broadcast_to(x.reshape(-1, 5).sum(0), parts[also].shape)
        for p, gradient, off in zip(found, expected, frozen, strict=True):
            place = sink.place(p)
            assert (place is None) == off and p.grad is None
            if place is not None:
                np.testing.assert_allclose(place.array, factor * gradient, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("also", [0, 1, 2])
def test_a_weight_whose_place_has_been_written_already_is_added_to(also, first):
    """Another layer's product stands in the sink before the joint one comes, or comes after it."""
    x, parts, g = arrays_for([2, 3, 1], False)
    found, optimizer = parameters(parts, True)
    sink = optimizer.flat.new_sink()
    sink.flat[...] = 99.0
    leaf = Tensor(x, requires_grad=True)
    if first:  # what is computed last is differentiated first
        out = (ops.joint_linear(leaf, *found) * Tensor(g)).sum()
        out = out + ops.linear(out * Tensor(x), found[also]).sum()
        out.backward(into=sink)
    else:
        inner = ops.linear(leaf, found[also]).sum()
        (ops.joint_linear(inner * Tensor(x), *found) * Tensor(g)).sum().backward(into=sink)
    sink.finish()
    apart = [Tensor(a.copy(), requires_grad=True) for a in parts]
    joined_weights = ops.concat(apart)
    if first:
        out = (ops.composed.linear(Tensor(x), joined_weights) * Tensor(g)).sum()
        out = out + ops.composed.linear(out * Tensor(x), apart[also]).sum()
    else:
        inner = ops.composed.linear(Tensor(x), apart[also]).sum()
        out = (ops.composed.linear(inner * Tensor(x), joined_weights) * Tensor(g)).sum()
    out.backward()
    for p, expected in zip(found, apart):
        np.testing.assert_allclose(sink.place(p).array, expected.grad, rtol=1e-10, atol=1e-10)


def test_neighbours_in_memory_are_not_copied_and_their_gradients_are_one_product(monkeypatch):
    import sys

    module = sys.modules["tinygrad_llm.ops.joint_linear"]
    x, parts, g = arrays_for([2, 3, 4], True)
    calls = []
    plain = module.gemm
    monkeypatch.setattr(module, "gemm", lambda *a, **k: calls.append(k.get("out")) or plain(*a, **k))
    found, optimizer = parameters(parts, True)
    assert np.shares_memory(joined([p.data for p in found[:3]]), optimizer.flat.data)
    sink = optimizer.flat.new_sink()
    ops.joint_linear(Tensor(x), *found).backward(g, into=sink)
    assert len(calls) == 2 and np.shares_memory(calls[1], sink.flat) and calls[1].shape == (9, 5)
    calls.clear()
    apart, _ = parameters(parts, False)
    ops.joint_linear(Tensor(x), *apart).backward(g)
    assert calls == [None, None]


def test_what_needs_no_gradient_costs_none():
    x, parts, g = arrays_for([2, 3], True)
    frozen = [Tensor(a) for a in parts]
    mine = Tensor(x, requires_grad=True)
    ops.joint_linear(mine, *frozen).backward(g)
    np.testing.assert_allclose(mine.grad, by_one_layer(x, parts, g)[1], **EQUAL)
    assert all(p.grad is None for p in frozen)
    assert not ops.joint_linear(Tensor(x), *frozen).requires_grad


def test_float32_stays_float32():
    x, parts, g = arrays_for([2, 3], True)
    found = [Tensor(a.astype(np.float32), requires_grad=True) for a in parts]
    out = ops.joint_linear(Tensor(x.astype(np.float32)), *found)
    out.backward(g.astype(np.float32))
    assert out.dtype == np.float32 and {p.grad.dtype for p in found} == {np.dtype(np.float32)}
    np.testing.assert_allclose(out.data, by_one_layer(x, parts, g)[0], rtol=1e-5, atol=1e-5)


def test_a_sink_of_other_parameters_is_left_alone():
    x, parts, g = arrays_for([2, 3], False)
    found, stranger = [Tensor(a.copy(), requires_grad=True) for a in parts], Tensor(np.ones(3), requires_grad=True)
    sink = GradientSink([stranger], np.full(3, 5.0))
    ops.joint_linear(Tensor(x), *found).backward(g, into=sink)
    sink.finish()
    assert not sink.flat.any()


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(2, 4)], "I = 5"), ([(2, 5), (3, 4)], "I = 5"), ([(2, 5), (3,)], "one a weight"), ([(2, 5), (3, 5), (2,)], "one a weight"),
        ([(2, 5), (2,), (3, 5), (3,)], "weights .O, I., then biases"), ([(2,)], "weights .O, I., then biases"),
        ([], "weights .O, I., then biases"), ([(2, 5, 1)], "weights .O, I., then biases"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_layers_is_refused(shapes, words):
    with pytest.raises(ShapeError, match=words):
        ops.joint_linear(Tensor(np.ones((3, 5))), *[Tensor(np.ones(shape)) for shape in shapes])


def views(flat, *places):
    return [flat[start : start + int(np.prod(shape))].reshape(shape) for start, shape in places]


def test_neighbours_are_seen_as_one_and_others_are_not():
    flat = np.arange(40.0)
    one, two, three = views(flat, (2, (2, 3)), (8, (1, 3)), (11, (3, 3)))
    whole = adjacent([one, two, three])
    assert np.shares_memory(whole, flat)
    np.testing.assert_array_equal(whole, np.concatenate([one, two, three]))
    whole[0, 0] = -1
    assert flat[2] == -1
    np.testing.assert_array_equal(adjacent([one]), one)
    np.testing.assert_array_equal(joined([three, one]), np.concatenate([three, one]))
    assert joined([one]) is one
    other = np.arange(40.0)
    for apart in (
        [two, one], [one, three], [one, one], [one, views(other, (8, (1, 3)))[0]], [one.copy(), two.copy()], [one.T, two],
        [one[:, :2], two[:, :2]], [one[::-1], two], views(flat, (0, (2, 3)), (6, (3, 2))), views(flat, (0, (6,)), (6, (2, 3))),
        [one, flat[8:11].view(np.int64).reshape(1, 3)], views(flat[::2], (0, (2, 3)), (6, (1, 3))),
    ):  # fmt: skip
        assert adjacent(apart) is None


def test_a_part_of_a_part_still_has_its_neighbours():
    flat = np.arange(40.0)
    inner = flat[4:30]
    np.testing.assert_array_equal(adjacent(views(inner, (1, (2, 2)), (5, (3, 2)))), flat[5:15].reshape(5, 2))
