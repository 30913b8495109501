"""Each option of reductions, shapes and selections: its value against NumPy, its gradient against differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck
from tinygrad_llm.errors import TinygradLLMError

RNG = np.random.default_rng(9)
X = RNG.permutation(12).reshape(2, 3, 2) * 0.4 - 1.7  # no two alike, none zero
REDUCTIONS = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min, "amax": np.max, "amin": np.min,
    "var": np.var, "std": np.std, "logsumexp": lambda x, axis, keepdims: np.log(np.exp(x).sum(axis, keepdims=keepdims)),
}  # fmt: skip


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-2, 0), (1,)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, axis, keepdims):
    op, expected = getattr(ops, name), REDUCTIONS[name](X, axis=axis, keepdims=keepdims)
    found = op(X, axis=axis, keepdims=keepdims)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.data, expected, rtol=1e-12)
    gradcheck(op, [X], axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("axis", "correction"), [(None, 1), (None, 3), (1, 1), (1, 2), ((0, 1), 1), ((0, -1), 0.5)])
@pytest.mark.parametrize("name", ["var", "std"])
def test_a_correction_divides_value_and_gradient(name, axis, correction, keepdims):
    options = {"axis": axis, "keepdims": keepdims}
    found = getattr(ops, name)(X, correction=correction, **options).data
    expected = getattr(np, name)(X, ddof=correction, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.shape == expected.shape
    gradcheck(getattr(ops, name), [X], correction=correction, **options)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_equals_share_a_gradient_or_the_first_has_it(name, axis, keepdims):
    x = Tensor(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]), requires_grad=True)
    y = getattr(ops, name)(x, axis=axis, keepdims=keepdims)
    y.backward(np.ones(y.shape))
    tied = x.data == getattr(np, name)(x.data, axis=axis, keepdims=True)
    shared = tied / tied.sum(axis, keepdims=True)
    first = tied & (np.cumsum(tied, axis if isinstance(axis, int) else 0) == 1)
    np.testing.assert_allclose(x.grad, first if name in ("max", "min") and isinstance(axis, int) else shared)


@pytest.mark.parametrize("axis", range(-4, 4))
def test_stacked_and_joined_along_any_axis(axis):
    parts = [X, X * 2, X + 1]
    np.testing.assert_array_equal(ops.stack(parts, axis).data, np.stack(parts, axis))
    gradcheck(lambda *xs: ops.stack(xs, axis), parts)
    if -3 <= axis < 3:
        wider = [X, np.concatenate([X, X + 3], axis)]
        np.testing.assert_array_equal(ops.concat(wider, axis).data, np.concatenate(wider, axis))
        gradcheck(lambda *xs: ops.concat(xs, axis), wider)


SHAPES = [
    ("transpose", {"axes": axes}, np.transpose) for axes in (None, (1, 2, 0), (2, 0, 1), (-1, 0, 1), (0, 2, 1))
] + [("flip", {"axis": axis}, np.flip) for axis in (None, 0, -1, (0, 2))] + [
    ("swapaxes", {"a": 0, "b": 2}, lambda x, a, b: x.swapaxes(a, b)), ("swapaxes", {"a": 1, "b": -1}, lambda x, a, b: x.swapaxes(a, b)),
    ("expand_dims", {"axis": -1}, np.expand_dims), ("expand_dims", {"axis": (1, 3)}, np.expand_dims),
    ("pad", {"widths": ((1, 0), (0, 2), (1, 1)), "value": -3.5}, lambda x, widths, value: np.pad(x, widths, constant_values=value)),
    ("flatten", {"start": 1}, lambda x, start: x.reshape(2, 6)), ("flatten", {"end": 1}, lambda x, end: x.reshape(6, 2)),
    ("flatten", {"start": -2, "end": -1}, lambda x, start, end: x.reshape(2, 6)),
    ("clip", {"low": 0}, lambda x, low: np.maximum(x, 0)), ("clip", {"high": 0.0}, lambda x, high: np.minimum(x, 0)),
    ("clip", {"low": 0, "high": 1}, lambda x, low, high: np.clip(x, 0, 1)), ("cumsum", {"axis": 0}, np.cumsum), ("cumsum", {"axis": 1}, np.cumsum),
    ("tril", {"k": 1}, np.tril), ("tril", {"k": -1}, np.tril), ("triu", {"k": 1}, np.triu), ("triu", {"k": -1}, np.triu),
    ("repeat", {"repeats": 2, "axis": 1}, np.repeat), ("repeat", {"repeats": 3}, np.repeat), ("repeat", {"repeats": [0, 2, 1], "axis": -2}, np.repeat),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "expected"), SHAPES, ids=[f"{name} {options}" for name, options, _ in SHAPES]
)
def test_the_same_entries_elsewhere(name, options, expected):
    found, wanted = getattr(ops, name)(X, **options).data, expected(X, **options)
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(found, wanted)
    gradcheck(getattr(ops, name), [X], **options)


@pytest.mark.parametrize(("axis", "descending"), list(product((0, 1, -1), (False, True))))
def test_order_and_choice(axis, descending):
    expected = np.flip(np.sort(X, axis), axis) if descending else np.sort(X, axis)
    for op, options in (
        (ops.sort, {"descending": descending}),
        (ops.topk, {"k": X.shape[axis], "largest": descending}),
    ):
        values, places = op(X, axis=axis, **options)
        np.testing.assert_array_equal(values.data, expected)
        np.testing.assert_array_equal(np.take_along_axis(X, places.data, axis), expected)
        gradcheck(lambda x, op=op, options=options: op(x, axis=axis, **options)[0], [X])
    tied = np.zeros((3, 3, 3))
    for places in (ops.argsort(tied, axis=axis, descending=descending), ops.topk(tied, 3, axis, descending)[1]):
        np.testing.assert_array_equal(places.data, np.indices(tied.shape)[axis % 3])  # equals keep their order


def test_many_equals_keep_their_order():
    """More than the sixteen that NumPy's quicksort leaves to an insertion sort, which is stable."""
    x = np.random.default_rng(0).integers(0, 3, 200).astype(float)
    rising = sorted(range(200), key=lambda i: x[i])
    falling = sorted(range(200), key=lambda i: -x[i])
    assert ops.argsort(x).data.tolist() == rising and ops.argsort(x, descending=True).data.tolist() == falling
    assert (
        ops.topk(x, 50)[1].data.tolist() == falling[:50]
        and ops.topk(x, 50, largest=False)[1].data.tolist() == rising[:50]
    )


@pytest.mark.parametrize("a", [-7, -7.5, 7.25, 0.0])
@pytest.mark.parametrize("b", [2, -2, 2.5, -0.75])
def test_division_of_either_sign_is_pythons(a, b):
    x, y = np.array([float(a)]), np.array([float(b)])
    assert ops.floor_divide(x, y).item() == a // b and ops.remainder(x, y).item() == a % b
    assert ops.divide(Tensor([3]), 2).dtype == np.float32 and ops.divide(Tensor([3]), 2).item() == 1.5
    if isinstance(a, int) and isinstance(b, int):
        assert ops.floor_divide(np.array([a]), b).item() == a // b and ops.remainder(np.array([a]), b).item() == a % b


@pytest.mark.parametrize(("name", "left", "right"), [("maximum", [0, 0.5, 1], [1, 0.5, 0]), ("minimum", [1, 0.5, 0], [0, 0.5, 1])])  # fmt: skip
def test_the_chosen_of_a_pair_has_the_gradient_and_equals_halve_it(name, left, right):
    a, b = Tensor(np.array([1.0, 2.0, 3.0]), True), Tensor(np.array([2.0, 2.0, 2.0]), True)
    getattr(ops, name)(a, b).backward(np.ones(3))
    assert a.grad.tolist() == left and b.grad.tolist() == right


LEFT, RIGHT = RNG.permutation(6).reshape(2, 1, 3) * 0.7 + 0.35, RNG.permutation(12).reshape(4, 3) * 0.3 + 0.4713
PAIRS = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "remainder": np.mod, "power": np.power,
         "maximum": np.maximum, "minimum": np.minimum}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_both_of_a_pair_have_their_gradient_whichever_is_stretched(name):
    op = getattr(ops, name)
    for a, b in ((LEFT, RIGHT), (RIGHT, LEFT), (LEFT, 1.3), (RIGHT[:1] + 0.011, RIGHT)):
        np.testing.assert_allclose(op(a, b).data, PAIRS[name](a, b), rtol=1e-12)
        gradcheck(op, [a, b])
    if name != "power":
        gradcheck(op, [-LEFT, RIGHT])
        gradcheck(op, [LEFT, -RIGHT])


UNARY = {
    "negative": np.negative, "absolute": np.abs, "sign": np.sign, "exp": np.exp, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0), "silu": lambda x: x / (1 + np.exp(-x)), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x), "log_sigmoid": lambda x: -np.logaddexp(0, -x),
    "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "rsqrt": lambda x: x**-0.5,
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_each_entry_has_its_slope(name):
    for x in (
        (LEFT, 0.01 * LEFT) if name in ("log", "sqrt", "rsqrt", "log1p") else (LEFT, -LEFT, 0.01 * LEFT, -3 * LEFT)
    ):
        np.testing.assert_allclose(getattr(ops, name)(x).data, UNARY[name](x), rtol=1e-12)
        gradcheck(getattr(ops, name), [x], eps=1e-6)


def test_chosen_and_hidden_entries():
    here = np.array([[True, False, True], [False, False, True]])
    a, b = X[:, :, 0], X[:, :, 1]
    np.testing.assert_array_equal(ops.where(here, a, b).data, np.where(here, a, b))
    gradcheck(lambda a, b: ops.where(here, a, b), [a, b])
    gradcheck(lambda a: ops.where(here, a, 2.5), [a])
    gradcheck(lambda b: ops.where(here, 2.5, b), [b])
    for value in (0, -1.5, 7):
        np.testing.assert_array_equal(ops.masked_fill(a, here, value=value).data, np.where(here, value, a))
        gradcheck(lambda a, v=value: ops.masked_fill(a, here, value=v), [a])
    gradcheck(ops.swiglu, [a, b])
    np.testing.assert_allclose(ops.swiglu(a, b).data, a / (1 + np.exp(-a)) * b)


def test_a_power_of_nothing_has_no_slope_in_its_exponent():
    a, b = Tensor(np.array([0.0, 0.0, 2.0]), True), Tensor(np.array([2.0, 1.5, 3.0]), True)
    ops.power(a, b).backward(np.ones(3))
    np.testing.assert_allclose(b.grad, [0, 0, 8 * np.log(2)])
    np.testing.assert_allclose(a.grad, [0, 0, 12])


def test_picked_gradients_add_up_in_their_own_precision():
    x = Tensor(np.zeros((3, 2)), requires_grad=True)
    g = 1 + np.random.default_rng(0).random((4, 2)) * 1e-9  # what float32 would round to 1
    rows = np.array([2, 0, 2, 1])
    for pick in (
        lambda: x[rows],
        lambda: ops.embedding(x, rows),
        lambda: ops.gather(x, np.stack([rows, rows], 1), axis=0),
    ):
        x.grad = None
        pick().backward(g)
        np.testing.assert_allclose(x.grad, [g[1], g[3], g[0] + g[2]], rtol=1e-15)


@pytest.mark.parametrize(("a", "b"), [((3,), (2, 4, 3, 5)), ((2, 4, 5, 3), (3,)), ((3,), (3,)), ((2, 1, 4, 3), (5, 3, 2)), ((4, 3), (2, 3, 1))])  # fmt: skip
def test_products_of_vectors_matrices_and_stacks(a, b):
    x, y = RNG.normal(size=a), RNG.normal(size=b)
    np.testing.assert_allclose(ops.matmul(x, y).data, np.matmul(x, y), rtol=1e-12)
    gradcheck(ops.matmul, [x, y])


def test_of_nothing_there_is_no_mean_and_no_largest():
    empty = np.zeros((2, 0))
    for name in ("mean", "max", "min", "amax", "amin", "logsumexp", "var", "std"):
        with pytest.raises(TinygradLLMError):
            getattr(ops, name)(empty, axis=1)
    assert ops.sum(empty, axis=1).data.tolist() == [0, 0] and ops.prod(empty, axis=1).data.tolist() == [1, 1]


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("eps", [1e-12, 0.5])
def test_a_norm_has_the_eps_that_it_is_given(name, eps):
    x = RNG.normal(size=(3, 4))
    centred = x - x.mean(-1, keepdims=True) if name == "layer_norm" else x
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    np.testing.assert_allclose(getattr(ops, name)(x, eps=eps).data, expected, rtol=1e-12)
    gradcheck(lambda x: getattr(ops, name)(x, eps=eps), [x])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_row_is_0_whatever_stands_beside_it(dtype):
    rows = np.stack([RNG.normal(size=7), *np.full((5, 7), [[1 / 3], [0.1], [-7.7], [1e6 / 7], [0.7]])]).astype(dtype)
    normal = ops.layer_norm(rows, eps=1e-12).data
    assert not normal[1:].any()
    np.testing.assert_allclose(normal[0], ops.layer_norm(rows[:1], eps=1e-12).data[0], rtol=20 * np.finfo(dtype).eps)


def test_where_both_distributions_are_0_the_divergence_has_no_term():
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log([[0.5, 0.5, 0.0]]), np.log([[0.25, 0.75, 0.0]])
    expected = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert ops.kl_divergence(log_p, log_q).item() == pytest.approx(expected, rel=1e-12)
