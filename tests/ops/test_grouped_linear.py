"""Many linear layers, each for rows of its own, are those layers one after the other, wherever their weights lie."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import to_device
from tinygrad_llm.errors import ShapeError
from tinygrad_llm.optim import SGD

INPUTS = 5
counts_of_groups = st.lists(st.integers(0, 4), min_size=1, max_size=4)
outputs_of_parts = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def problem(counts, outputs, seed=0, dtype=np.float64):
    """x, the weights of group after group, what comes back from above, and where groups begin."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(n, INPUTS)).astype(dtype) for _ in counts for n in outputs]
    x, g = rng.normal(size=(sum(counts), INPUTS)).astype(dtype), rng.normal(size=(sum(counts), sum(outputs)))
    return x, weights, g.astype(dtype), np.cumsum([0, *counts])


def by_definition(x, weights, g, starts):
    """Value, gradient of x, gradients of the weights: row by row."""
    count = len(starts) - 1
    parts = len(weights) // count
    whole = [np.concatenate(weights[e * parts : (e + 1) * parts]).astype(np.float64) for e in range(count)]
    y, dx, dw = np.zeros(g.shape), np.zeros(x.shape), [np.zeros_like(w) for w in whole]
    for row in range(len(x)):
        e = int(np.searchsorted(starts, row, side="right")) - 1
        y[row], dx[row] = whole[e] @ x[row], whole[e].T @ g[row]
        dw[e] += np.outer(g[row], x[row])
    ends = np.cumsum([len(w) for w in weights[:parts]])[:-1]
    return y, dx, [part for own in dw for part in np.split(own, ends)]


def leaves(weights, in_one_memory, between=()):
    """Leaves of these values; in one memory, an optimizer's, if asked, with `between` after the weights of each group."""
    found = [Tensor(w.copy(), requires_grad=True) for w in weights]
    if not in_one_memory:
        return found, None
    each = len(found) // max(1, len(between)) if between else len(found)
    groups = [[*found[i : i + each], *between[i // each : i // each + 1]] for i in range(0, len(found), each)]
    return found, SGD([p for group in groups for p in group], lr=0.1)


@given(counts=counts_of_groups, outputs=outputs_of_parts, in_one_memory=st.booleans(), seed=st.integers(0, 99))
def test_value_and_gradients_are_those_of_the_layers_row_by_row(counts, outputs, in_one_memory, seed):
    x, weights, g, starts = problem(counts, outputs, seed)
    found, _ = leaves(weights, in_one_memory)
    mine = Tensor(x, requires_grad=True)
    out = ops.grouped_linear(mine, *found, starts=starts)
    out.backward(g)
    y, dx, dw = by_definition(x, weights, g, starts)
    for got, expected in zip([out.data, mine.grad, *[p.grad for p in found]], [y, dx, *dw], strict=True):
        np.testing.assert_allclose(to_device(got, "cpu"), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [(70, 0, 3), (0, 0, 0), (1, 130, 64)])
def test_float32_stays_float32_and_is_as_near_as_its_sums_allow(rows):
    x, weights, g, starts = problem(rows, [7, 9], dtype=np.float32)
    found, _ = leaves(weights, True)
    mine = Tensor(x, requires_grad=True)
    out = ops.grouped_linear(mine, *found, starts=starts)
    out.backward(g)
    y, dx, dw = by_definition(x, weights, g, starts)
    for got, expected in zip([out.data, mine.grad, *[p.grad for p in found]], [y, dx, *dw], strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(to_device(got, "cpu"), expected, rtol=1e-5, atol=2e-5)


def test_beside_bfloat16_rows_the_weights_are_rounded_and_their_gradients_are_not():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x, weights, g, starts = problem((3, 0, 4), [6, 2], dtype=np.float32)
    x, g = x.astype(bfloat16), g.astype(bfloat16)
    found, _ = leaves(weights, True)
    mine = Tensor(x, requires_grad=True)
    out = ops.grouped_linear(mine, *found, starts=starts)
    out.backward(g)
    y, dx, dw = by_definition(*[a.astype(np.float64) for a in (x,)], [w.astype(bfloat16) for w in weights], g, starts)
    assert out.dtype == mine.grad.dtype == bfloat16 and {p.grad.dtype for p in found} == {np.dtype(np.float32)}
    for got, expected in ((out.data, y), (mine.grad, dx)):
        np.testing.assert_allclose(to_device(got, "cpu").astype(np.float64), expected, rtol=2**-8, atol=1e-5)
    for p, expected in zip(found, dw):
        np.testing.assert_allclose(to_device(p.grad, "cpu"), expected, rtol=1e-5, atol=1e-5)


@given(counts=counts_of_groups, data=st.data())
@settings(max_examples=settings().max_examples // 2)
def test_gradients_go_into_the_sink_whatever_lies_between_the_groups_and_whoever_is_frozen(counts, data):
    """The sum of two uses, of which the first overwrites what the last step has left there; the others' places keep
    what is theirs."""
    x, weights, g, starts = problem(counts, [3, 2])
    frozen = data.draw(
        st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)).filter(lambda f: not all(f))
    )
    also = data.draw(st.sampled_from([None, *range(len(weights))]))  # a weight that another layer uses, too
    between = [Tensor(np.ones(4), requires_grad=True) for _ in counts]
    found, optimizer = leaves(weights, True, between)
    sink = optimizer.flat.new_sink()
    sink.flat[...] = 99.0
    for p, off in zip(found, frozen):
        p.requires_grad = not off
    for factor in (1.0, 2.0):
        sink.clear()
        one, three = Tensor(x), Tensor(3 * x)
        out = (ops.grouped_linear(one, *found, starts=starts) * Tensor(g)).sum()
        out = out + (ops.grouped_linear(three, *found, starts=starts) * Tensor(g)).sum()
        if also is not None:
            out = out + ops.linear(one, found[also]).sum()
        (out * factor + sum((b.sum() for b in between), Tensor(0.0, dtype="float64"))).backward(into=sink)
        sink.finish()
        expected = [4 * w for w in by_definition(x, weights, g, starts)[2]]
        if also is not None:
            expected[also] = expected[also] + np.broadcast_to(x.sum(0), weights[also].shape)
        for p, gradient, off in zip(found, expected, frozen, strict=True):
            wanted = 0 if off else factor * gradient
            np.testing.assert_allclose(to_device(sink.place(p).array, "cpu"), wanted, rtol=1e-10, atol=1e-10)
        for b in between:
            np.testing.assert_array_equal(to_device(sink.place(b).array, "cpu"), np.ones(4))


@pytest.mark.parametrize("also", [0, 1, 3])
def test_a_weight_whose_place_has_been_written_already_is_added_to(also):
    """Another layer's product stands in the sink before the groups' comes: what is computed last is differentiated first."""
    x, weights, g, starts = problem((2, 3), [3, 2])
    found, optimizer = leaves(weights, True)
    sink = optimizer.flat.new_sink()
    sink.flat[...] = 99.0
    one = Tensor(x)
    out = (ops.grouped_linear(one, *found, starts=starts) * Tensor(g)).sum()
    (out * 1.0 + ops.linear(out * 0.0 + one, found[also]).sum()).backward(into=sink)
    sink.finish()
    expected = by_definition(x, weights, g, starts)[2]
    expected[also] = expected[also] + np.broadcast_to(x.sum(0), weights[also].shape)
    for p, gradient in zip(found, expected, strict=True):
        np.testing.assert_allclose(to_device(sink.place(p).array, "cpu"), gradient, rtol=1e-10, atol=1e-10)


def test_weights_at_equal_distances_are_not_copied_and_their_gradients_are_written_where_they_belong(monkeypatch):
    module = sys.modules["tinygrad_llm.ops.grouped_linear"]
    x, weights, g, starts = problem((2, 3), [3, 2])
    asked, plain, outer = [], module.grouped_product, module.grouped_outer
    monkeypatch.setattr(module, "grouped_product", lambda x, s, w, **k: asked.append(w) or plain(x, s, w, **k))
    monkeypatch.setattr(module, "grouped_outer", lambda *a, **k: asked.append(a[3]) or outer(*a, **k))
    found, optimizer = leaves(weights, True, [Tensor(np.ones(4), requires_grad=True) for _ in range(2)])
    sink = optimizer.flat.new_sink()
    ops.grouped_linear(Tensor(x), *found, starts=starts).backward(g, into=sink)
    read, written = asked
    assert np.shares_memory(read, optimizer.flat.data) and np.shares_memory(written, sink.flat)


def test_what_needs_no_gradient_costs_none():
    x, weights, g, starts = problem((2, 3), [2, 3])
    frozen = [Tensor(w) for w in weights]
    mine = Tensor(x, requires_grad=True)
    ops.grouped_linear(mine, *frozen, starts=starts).backward(g)
    np.testing.assert_allclose(to_device(mine.grad, "cpu"), by_definition(x, weights, g, starts)[1], atol=1e-12)
    assert all(p.grad is None for p in frozen)


@pytest.mark.parametrize(
    ("shapes", "groups", "words"),
    [
        ([(2, 5)], 2, "for each of 2 groups"), ([], 2, "for each of 2 groups"), ([(2, 5), (2, 5), (2, 5)], 2, "for each of 2 groups"),
        ([(2, 5), (3, 5)], 2, "weight 0 of group 1"), ([(2, 5), (3, 5), (2, 5), (4, 5)], 2, "weight 1 of group 1"),
        ([(2, 4), (2, 4)], 2, "I = 5"), ([(2,), (2,)], 2, "I = 5"), ([(2, 5)], 0, "for each of 0 groups"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_groups_is_refused(shapes, groups, words):
    x = Tensor(np.ones((3, 5)))
    with pytest.raises(ShapeError, match=words):
        ops.grouped_linear(x, *[Tensor(np.ones(shape)) for shape in shapes], starts=np.arange(groups + 1))
