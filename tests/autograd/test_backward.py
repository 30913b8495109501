"""Claims about the tape: order, ownership, memory, versions."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from contextvars import copy_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import nn, ops
from tinygrad_llm.autograd import GradientSink, Tensor, Value, detect_anomaly, no_grad, op
from tinygrad_llm.autograd.backward import unbroadcast
from tinygrad_llm.errors import ArgumentError, DtypeError, GradientError, NonFiniteError, ShapeError
from tinygrad_llm.optim import SGD


def leaf(value, dtype=np.float64):
    return Tensor(np.asarray(value, dtype), requires_grad=True)


def test_three_terms_of_one_gradient_add_up():
    a = leaf(3.0)
    b, c = 2 * a, 3 * a
    z = (b + c) + 5 * b
    z.backward()
    assert a.grad == 15.0


def test_a_gradient_given_to_two_parents_is_not_written_by_one_of_them():
    a, b = leaf([1.0]), leaf([1.0])
    x, y = a * 1.0, b * 1.0
    z = (x + y) + x + x  # x's sum grows in place; y was given the same array first
    z.backward(np.ones(1))
    assert a.grad == 3.0 and b.grad == 1.0


def test_the_seed_is_never_written():
    a, seed = leaf([1.0, 2.0]), np.ones(2)
    (a * 1.0 + a * 2.0 + a).backward(seed)
    np.testing.assert_array_equal(seed, 1.0)
    np.testing.assert_array_equal(a.grad, 4.0)
    a.grad += 1
    np.testing.assert_array_equal(seed, 1.0)


def test_gradients_of_leaves_accumulate_over_calls():
    a = leaf(2.0)
    for expected in (4.0, 8.0):
        (a * a).backward()
        assert a.grad == expected


def test_a_leaf_can_be_its_own_root():
    a = leaf(2.0)
    a.backward()
    assert a.grad == 1.0


def test_a_chain_of_a_hundred_thousand_is_no_problem():
    a = leaf(1.0)
    y = a
    for _ in range(100_000):
        y = y * 1.0
    y.backward()
    assert a.grad == 1.0
    del y


def test_only_what_a_derivative_needs_stays_in_memory():
    a = leaf(np.ones(1000))
    middle = a + 1.0  # neither needed by add nor by the sum
    alive = weakref.ref(middle.data)
    y = middle.sum()
    del middle
    assert alive() is None
    y.backward()


def test_the_graph_is_freed_on_the_way_without_the_collector():
    gc.disable()
    try:
        a = leaf(np.ones(4))
        middle = ops.exp(a)
        alive = weakref.ref(middle.data)
        y = middle.sum()
        del middle
        assert alive() is not None
        y.backward()
        assert alive() is None
        del y
        gc.collect()
        before = gc.collect()
        for _ in range(10):
            ops.softmax(ops.exp(a) * a).sum().backward()
        assert gc.collect() <= before
    finally:
        gc.enable()


def test_a_second_backward_says_that_the_graph_is_gone():
    a = leaf(2.0)
    y = a * a
    y.backward()
    with pytest.raises(GradientError, match="retain_graph"):
        y.backward()


def test_retaining_keeps_the_graph_and_shows_gradients_in_between():
    a = leaf(3.0)
    b = a * a
    y = b * 2.0
    y.backward(retain_graph=True)
    assert b.grad == 2.0 and y.grad == 1.0 and a.grad == 12.0
    y.backward()
    assert a.grad == 24.0


def test_gradients_in_between_add_up_over_calls():
    a = leaf(3.0)
    b = a * a
    y = b * 2.0
    for expected in (2.0, 4.0):
        y.backward(retain_graph=True)
        assert b.grad == expected
        for t in (a, b, y):
            assert type(t.grad) is type(t.data) and t.grad.shape == () and t.grad.dtype == t.dtype


def test_a_seed_may_be_a_tensor_a_list_or_a_number():
    for seed in (Tensor(np.array([2.0, 3.0])), [2.0, 3.0], np.array([2, 3])):
        a = leaf([1.0, 1.0])
        (a * 1.0).backward(seed)
        np.testing.assert_array_equal(a.grad, [2.0, 3.0])
    a = leaf([1.0])
    (a * 2.0).backward()  # one entry is a single number
    assert a.grad == 2.0


def test_a_value_changed_after_use_is_noticed():
    a = leaf([2.0])
    y = a * a
    a.assign([5.0])
    with pytest.raises(GradientError, match="changed in place 1 time"):
        y.backward(np.ones(1))


def test_a_change_shows_through_a_view():
    frozen, x = Tensor(np.ones(4)), leaf(np.ones((2, 2)))
    y = frozen.reshape(2, 2) * x
    frozen.assign(np.zeros(4))
    with pytest.raises(GradientError, match="multiply"):
        y.backward(np.ones((2, 2)))


def test_a_change_before_use_is_none():
    a = leaf([2.0])
    a.assign([5.0])
    (a * a).backward(np.ones(1))
    assert a.grad == 10.0


def test_no_change_in_place_of_what_was_computed():
    y = leaf([1.0]) * 2
    with pytest.raises(GradientError, match="made by multiply"):
        y.assign([1.0])
    with pytest.raises(GradientError, match="where"):
        y[0] = 1.0
    with pytest.raises(ShapeError):
        leaf([1.0]).assign([1.0, 2.0])


def test_no_grad_records_nothing_in_this_thread_alone():
    a = leaf(1.0)
    seen = {}

    def elsewhere(name):
        seen[name] = (a * a).requires_grad

    with no_grad():
        assert not (a * a).requires_grad
        fresh = threading.Thread(target=elsewhere, args=("fresh",))
        copied = threading.Thread(target=copy_context().run, args=(elsewhere, "copied"))
        for thread in (fresh, copied):
            thread.start()
            thread.join()
    assert (a * a).requires_grad
    assert seen == {"fresh": True, "copied": False}


def test_what_cannot_be_differentiated_is_said():
    with pytest.raises(GradientError, match="requires a gradient"):
        Tensor([1.0]).backward()
    with pytest.raises(ShapeError, match="single number"):
        (leaf([1.0, 2.0]) * 2).backward()
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        (leaf([1.0, 2.0]) * 2).backward(np.ones(3))
    with pytest.raises(DtypeError, match="derivatives"):
        Tensor([1], requires_grad=True)


def test_a_frozen_parent_costs_no_gradient():
    asked = []

    @op
    def probe(a, b):
        def vjp(g, needs):
            asked.append(needs)
            return g, None

        return a * b, vjp

    probe(leaf(2.0), Tensor(np.array(3.0))).backward()
    assert asked == [(True, False)]


@st.composite
def graphs(draw):
    """A list of (parent, parent, is_product): node i + 2 combines two earlier ones; nodes 0 and 1 are leaves."""
    count = draw(st.integers(1, 8))
    return [(draw(st.integers(0, i + 1)), draw(st.integers(0, i + 1)), draw(st.booleans())) for i in range(count)]


@given(graph=graphs())
def test_any_graph_gives_the_sum_over_all_paths(graph):
    start = [1.25, -0.5]
    tensors = [leaf(v) for v in start]
    scalars = [Value(v) for v in start]
    numbers, slopes = list(start), [(1.0, 0.0), (0.0, 1.0)]  # forward mode: d/d(leaf 0), d/d(leaf 1)
    for a, b, is_product in graph:
        for values in (tensors, scalars):
            values.append(values[a] * values[b] if is_product else values[a] + values[b])
        weight = (numbers[b], numbers[a]) if is_product else (1.0, 1.0)
        slopes.append(tuple(weight[0] * x + weight[1] * y for x, y in zip(slopes[a], slopes[b])))
        numbers.append(numbers[a] * numbers[b] if is_product else numbers[a] + numbers[b])
    tensors[-1].backward()
    scalars[-1].backward()
    for i in (0, 1):
        mine = 0.0 if tensors[i].grad is None else float(tensors[i].grad)
        assert mine == pytest.approx(slopes[-1][i], rel=1e-12, abs=1e-12)
        assert scalars[i].grad == pytest.approx(slopes[-1][i], rel=1e-12, abs=1e-12)


@given(data=st.data())
def test_unbroadcasting_is_the_transpose_of_broadcasting(data):
    from hypothesis.extra import numpy as hnp

    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=shapes.input_shapes[0]), rng.normal(size=shapes.result_shape)
    # <broadcast(x), g> = <x, unbroadcast(g)> for every x
    assert (np.broadcast_to(x, g.shape) * g).sum() == pytest.approx((x * unbroadcast(g, x.shape)).sum(), abs=1e-10)
    assert unbroadcast(g, x.shape).shape == x.shape


def test_a_sink_gets_what_grad_would():
    w, b, unused = leaf(np.ones((3, 2))), leaf(np.ones(3)), leaf(np.ones(2))
    x, flat = np.arange(8.0).reshape(4, 2), Tensor(np.full(11, np.nan)).data.copy()
    sink = GradientSink([w, b, unused], flat)

    def loss():
        y = ops.linear(x, w, b)
        return (y * ops.linear(x * 2, w, b)).sum()  # w is used twice: once written, once added

    for _ in range(2):  # clear() makes the second round overwrite, not add
        sink.clear()
        loss().backward(into=sink)
        sink.finish()
        assert w.grad is None
        loss().backward()
        expected = np.concatenate([w.grad.ravel(), b.grad, [0.0, 0.0]])
        np.testing.assert_allclose(flat, expected, rtol=1e-12)
        w.grad = b.grad = None


def test_a_sink_without_clear_adds_up():
    w, flat = (
        leaf(np.ones((1, 2))),
        Tensor(np.full(2, np.nan)).data.copy(),
    )  # what is there before the first does not matter
    sink = GradientSink([w], flat)
    for _ in range(2):
        ops.linear(np.ones((1, 2)), w).sum().backward(into=sink)
    np.testing.assert_array_equal(flat, 2.0)


def test_the_first_operation_with_a_bad_number_is_named():
    with detect_anomaly(), np.errstate(all="ignore"):
        with pytest.raises(NonFiniteError, match=r"^log: .*-inf at \[1\]"):
            ops.exp(ops.log(leaf([1.0, 0.0])))
        y = ops.sqrt(leaf([0.0])).sum()
        with pytest.raises(NonFiniteError, match="gradient of sqrt"):
            y.backward()


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), 2, 2.0, np.int64(2)])
@pytest.mark.parametrize(
    "apply", [lambda x, s: x * s, lambda x, s: s - x, lambda x, s: x / s, lambda x, s: s**x, lambda x, s: x**s]
)
def test_a_scalar_never_changes_the_dtype(scalar, apply):
    x = leaf([1.0, 2.0], np.float32)
    y = apply(x, scalar)
    y.backward(np.ones(2, np.float32))
    assert y.dtype == x.grad.dtype == np.float32


def test_numpy_on_the_left_asks_the_tensor():
    x = leaf([1.0, 2.0])
    assert isinstance(np.ones(2) + x, Tensor) and isinstance(np.float64(2) * x, Tensor)


def test_mixed_precisions_are_refused_by_name():
    with pytest.raises(DtypeError, match=r"add: .*float32.*float64"):
        leaf([1.0], np.float32) + leaf([1.0])
    with pytest.raises(DtypeError, match=r"Write b.astype\('float32'\)"):
        leaf([1.0, 2.0], np.float32) * np.array([0.5, 1.0])
    with pytest.raises(DtypeError, match="softmax"):
        ops.softmax(np.array([1, 2]))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda g: g.astype(np.float64), "spoiled: gradient of dtype float64 for float32"),
        (lambda g: g[:1], r"spoiled: gradient of shape \(1,\) for \(3,\)"),
    ],
)
def test_a_gradient_of_another_dtype_or_shape_names_the_operation_that_made_it(spoil, words):
    @op
    def spoiled(x):
        return x * 2, lambda g, needs: spoil(g)

    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    with pytest.raises(AssertionError, match=words):
        spoiled(x * 3).exp().sum().backward()


@pytest.mark.parametrize(
    "data", [np.zeros(2, np.float16), np.zeros(2, complex), np.array(["a"]), np.array([None]), [[1.0], "a"]]
)
def test_odd_dtypes_are_refused(data):
    with pytest.raises((DtypeError, ValueError)):
        Tensor(data)


def test_arrays_without_entries_or_axes_work():
    empty = leaf(np.ones((0, 3)))
    (ops.linear(empty, leaf(np.ones((2, 3)))).sum() + ops.softmax(empty).sum()).backward()
    assert empty.grad.shape == (0, 3)
    assert (leaf(2.0) * leaf(3.0)).shape == ()


def test_lists_become_float32_and_arrays_stay_what_they_are():
    assert Tensor([1.0, 2.0]).dtype == np.float32
    assert Tensor(np.ones(2)).dtype == np.float64
    assert Tensor([1, 2]).dtype.kind == "i"


def test_a_tensor_answers_what_it_is():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert (x.shape, x.ndim, x.size, len(x), x.device) == ((2, 3), 2, 6, 2, "cpu")
    assert [row.shape for row in x] == [(3,), (3,)]
    assert x.T.shape == (3, 2) and x.sum().item() == 15.0 and float(x.max()) == 5.0
    assert "requires_grad" in repr(x) and "made by sum" in repr(x.sum())
    assert not x.detach().requires_grad and x.detach().data is x.data
    assert x.to("float32").dtype == np.float32 and x.to("cpu") is x
    with pytest.raises(ShapeError, match="item"):
        x.item()
    with pytest.raises(ShapeError, match="bool"):
        bool(x)
    with pytest.raises(ArgumentError):
        x.to("nowhere")
    assert len({x, x}) == 1


def test_a_single_number_gets_an_array_as_its_gradient():
    x = Tensor(2.0, requires_grad=True)
    (x * np.ones(3, np.float32)).sum().backward()
    assert isinstance(x.grad, np.ndarray) and x.grad.shape == () and x.grad == 3


def test_a_change_shows_through_a_view_of_what_is_a_view_itself():
    flat = np.ones(6)
    x = Tensor(flat[:4], requires_grad=True)
    assert x.data.base is flat
    y = x.reshape(2, 2)
    z = (y * y).sum()
    x.assign(np.zeros(4))
    with pytest.raises(GradientError, match="changed in place"):
        z.backward()


@pytest.mark.parametrize("name", ["sum", "mean", "var", "max", "min"])
def test_methods_reduce_as_those_of_arrays_do(name):
    x = np.random.default_rng(0).normal(size=(2, 3))
    for args in ((), (0,), (1,)):
        expected = getattr(x, name)(*args)
        found = getattr(Tensor(x), name)(*args).data
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_methods_take_shapes_and_axes_as_those_of_arrays_do():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    t = Tensor(x)
    for shape in ((6, 4), (24,), ((4, 6),), ((24,),), (-1,), ([2, 12],), (2, -1)):
        np.testing.assert_array_equal(t.reshape(*shape).data, x.reshape(*shape))
    for axes in ((), (2, 0, 1), ((1, 0, 2),), ([0, 2, 1],)):
        np.testing.assert_array_equal(t.transpose(*axes).data, x.transpose(*axes))
    row = Tensor(x[0, 0])
    np.testing.assert_array_equal(row.transpose(0).data, x[0, 0])
    np.testing.assert_allclose(t.softmax().data.sum(-1), 1.0)
    assert Tensor([[7.0]]).item() == 7.0 and Tensor([2.0]) and not Tensor([[0.0]])
    with pytest.raises(ShapeError, match="bool"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(ShapeError, match="item"):
        Tensor([1.0, 2.0]).item()


def test_a_leaf_is_not_changed_behind_the_graphs_back():
    memory = np.ones(3)
    x = Tensor(memory, requires_grad=True)
    loss = (x * x).sum()
    for change in (
        lambda: x.data.__setitem__(0, 5.0), lambda: x.data.__iadd__(1.0), lambda: x.data.fill(5.0), lambda: x.data.sort(),
        lambda: x.numpy().__setitem__(0, 5.0), lambda: x.data.T.__setitem__(0, 5.0), lambda: x.detach().data.__setitem__(0, 5.0),
        lambda: np.add(x.data, 1.0, out=x.data), lambda: np.asarray(x.detach()).__setitem__(0, 5.0),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="read-only"):
            change()
    loss.backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0] and memory.flags.writeable
    x.assign(np.zeros(3))
    assert memory.tolist() == [0.0, 0.0, 0.0]  # the same memory, not a copy


def test_a_parameter_is_not_changed_behind_the_graphs_back_either():
    layer = nn.Linear(2, 3, rng=np.random.default_rng(0))
    twins = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), copy.copy(layer), layer.to("cpu")]
    optimizer = SGD(layer.parameters(), lr=0.1)
    for p in [p for module in (layer, *twins) for p in module.parameters()]:
        with pytest.raises(ValueError, match="read-only"):
            p.data[...] = 1.0
    before = layer.weight.data.copy()
    layer(Tensor(np.ones((1, 2), np.float32))).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(layer.weight.data, before - 0.1, rtol=1e-6)  # the optimizer owns the memory
    layer.load_state_dict(twins[0].state_dict())
    np.testing.assert_array_equal(layer.weight.data, before)


def test_the_first_entry_that_is_no_number_is_the_one_that_is_named():
    with detect_anomaly(), np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=r"-inf at \[1\] of \(4,\)"):
        ops.log(np.array([1.0, 0.0, 2.0, 0.0]))


def test_memory_that_nobody_may_write_is_not_assigned_to():
    frozen = np.broadcast_to(np.ones(1), (3,))
    with pytest.raises(GradientError, match="copy"):
        Tensor(frozen).assign(np.zeros(3))
    assert frozen.tolist() == [1.0, 1.0, 1.0]


def test_entries_that_share_a_place_are_not_assigned_to_and_one_alone_shares_with_none():
    for count in (2, 3):
        with pytest.raises(GradientError, match="copy"):
            Tensor(np.lib.stride_tricks.as_strided(np.ones(1), (count,), (0,))).assign(np.zeros(count))
    alone = Tensor(np.lib.stride_tricks.as_strided(np.ones(1), (1,), (0,)))
    alone.assign([3.0])
    assert alone.data.tolist() == [3.0]


def test_what_is_detached_can_be_assigned_to():
    x = leaf([1.0, 2.0])
    y = (x * 2.0).detach()
    y.assign([5.0, 6.0])
    assert y.data.tolist() == [5.0, 6.0]


def views_of(y):
    with no_grad():
        return [y.detach(), y.detach().reshape(2, 1), y.reshape(2, 1).detach(), y.reshape(-1), y.detach()[1:]]


@pytest.mark.parametrize("view", range(5))
@pytest.mark.parametrize(
    "loss",
    [lambda y, x: (y * y).sum(), lambda y, x: y.sum(), lambda y, x: (y.detach() * x).sum(), lambda y, x: y],
    ids=["used", "summed", "constant", "the root"],
)
def test_a_result_that_is_changed_through_its_detached_self_is_noticed(loss, view):
    x = leaf([1.0, 2.0])
    y = ops.exp(x)
    views = views_of(y)
    z = loss(y, x)
    views[view].assign(np.zeros(views[view].shape))
    with pytest.raises(GradientError, match="changed in place"):
        z.backward(np.ones(z.shape))


def test_a_result_that_nobody_recorded_is_no_less_noticed():
    x, c = leaf([1.0, 2.0]), Tensor(np.ones(2)) + 1.0
    z = (c * x).sum()
    c.assign(np.zeros(2))
    with pytest.raises(GradientError, match="multiply: .*changed in place"):
        z.backward()
