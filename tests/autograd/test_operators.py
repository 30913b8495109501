"""A tensor's operators and methods against NumPy's, on both sides and with every option."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor

RNG = np.random.default_rng(2)
A = RNG.permutation(24).reshape(2, 3, 4) * 0.25 + 0.6
B = RNG.permutation(24).reshape(2, 3, 4) * 0.5 + 0.9
SIGNED = A - 3.0
FLAGS, OTHERS = A > 3, B > 7


BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
          operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]  # fmt: skip


@pytest.mark.parametrize("f", BINARY, ids=lambda f: f.__name__)
def test_an_operator_is_numpys_with_the_tensor_on_either_side(f):
    for a, b in ((A, B), (A, A), (SIGNED, B), (A, 2.0), (2.0, A), (A, 3), (A[0, 0], B)):
        if f is operator.pow and np.min(a) < 0:
            continue
        expected = f(a, b)
        sides = [(Tensor(a), b)] * (np.ndim(a) > 0) + [(a, Tensor(b))] * (np.ndim(b) > 0)
        for left, right in sides:
            found = f(left, right)
            assert isinstance(found, Tensor)
            np.testing.assert_allclose(found.data, expected, rtol=1e-12)


def test_the_rest_of_the_operators_are_numpys():
    x, y = Tensor(A[0]), Tensor(B[0])
    np.testing.assert_allclose((x @ B[0].T).data, A[0] @ B[0].T)
    np.testing.assert_allclose((A[0].T @ y).data, A[0].T @ B[0])
    p, q = Tensor(FLAGS), Tensor(OTHERS)
    for f in (operator.and_, operator.or_):
        for found in (f(p, q), f(FLAGS, q), f(p, OTHERS)):
            np.testing.assert_array_equal(found.data, f(FLAGS, OTHERS))
    np.testing.assert_array_equal((~p).data, ~FLAGS)
    np.testing.assert_array_equal((-x).data, -A[0])
    np.testing.assert_array_equal(abs(Tensor(SIGNED)).data, np.abs(SIGNED))
    np.testing.assert_array_equal(Tensor(A)[1, ::2].data, A[1, ::2])


def deviation(x, axis=None, keepdims=False, correction=0):
    return x.std(axis, keepdims=keepdims, ddof=correction)


def variance(x, axis=None, keepdims=False, correction=0):
    return x.var(axis, keepdims=keepdims, ddof=correction)


REDUCTIONS = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min, "var": variance, "std": deviation}  # fmt: skip


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 1)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_takes_axis_and_keepdims(name, axis, keepdims):
    for x in (A, SIGNED):
        found = getattr(Tensor(x), name)(axis=axis, keepdims=keepdims).data
        expected = REDUCTIONS[name](x, axis=axis, keepdims=keepdims)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        np.testing.assert_array_equal(getattr(Tensor(x), name)(axis, keepdims).data, found)
        if name in ("var", "std"):
            for correction in (1, 2) if axis != 0 else (1,):
                found = getattr(Tensor(x), name)(axis, keepdims, correction).data
                np.testing.assert_allclose(found, REDUCTIONS[name](x, axis, keepdims, correction), rtol=1e-12)


PHI = np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


CALLS = [
    ("cumsum", {"axis": 0}, np.cumsum), ("cumsum", {"axis": 1}, np.cumsum), ("softmax", {"axis": 1}, softmax),
    ("softmax", {"axis": -3}, softmax), ("log_softmax", {"axis": 0}, lambda x, axis: np.log(softmax(x, axis))),
    ("clip", {"low": 0.0}, lambda x, low: np.maximum(x, low)), ("clip", {"high": 0.0}, lambda x, high: np.minimum(x, high)),
    ("clip", {"low": -1, "high": 1}, lambda x, low, high: np.minimum(np.maximum(x, low), high)),
    ("gelu", {"approximate": "tanh"}, lambda x, approximate: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    ("gelu", {}, lambda x: x * PHI(x)), ("flatten", {"start": 1}, lambda x, start: x.reshape(2, 12)),
    ("flatten", {"end": 1}, lambda x, end: x.reshape(6, 4)), ("flatten", {"start": 1, "end": -1}, lambda x, start, end: x.reshape(2, 12)),
    ("flip", {"axis": 0}, np.flip), ("flip", {"axis": (1, 2)}, np.flip), ("repeat", {"repeats": 2, "axis": 1}, np.repeat),
    ("repeat", {"repeats": [2, 0, 1], "axis": 1}, np.repeat), ("repeat", {"repeats": 2}, np.repeat),
    ("expand_dims", {"axis": 1}, np.expand_dims), ("expand_dims", {"axis": (0, -1)}, np.expand_dims),
    ("swapaxes", {"a": 0, "b": 2}, lambda x, a, b: x.swapaxes(a, b)), ("argmax", {"axis": 1}, np.argmax),
    ("argmax", {"axis": 2, "keepdims": True}, np.argmax), ("argmin", {"axis": 0, "keepdims": True}, np.argmin),
    ("argmax", {"keepdims": True}, np.argmax), ("argmin", {}, np.argmin),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "expected"), CALLS, ids=[f"{name} {options}" for name, options, _ in CALLS]
)
def test_a_method_passes_its_options_on(name, options, expected):
    found = getattr(Tensor(SIGNED), name)(**options).data
    wanted = np.asarray(expected(SIGNED, **options))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sorting_and_choosing_take_axis_and_direction(axis):
    for descending in (False, True):
        values, places = Tensor(SIGNED).sort(axis=axis, descending=descending)
        expected = np.flip(np.sort(SIGNED, axis), axis) if descending else np.sort(SIGNED, axis)
        np.testing.assert_array_equal(values.data, expected)
        np.testing.assert_array_equal(np.take_along_axis(SIGNED, places.data, axis), expected)
        values, _ = Tensor(SIGNED).topk(2, axis=axis, largest=descending)
        np.testing.assert_array_equal(values.data, expected.take([0, 1], axis))


def test_shapes_are_given_one_by_one_or_as_one():
    x = Tensor(A)
    for found in (x.reshape(4, 6), x.reshape((4, 6)), x.reshape([4, -1])):
        np.testing.assert_array_equal(found.data, A.reshape(4, 6))
    for found in (x.transpose(2, 0, 1), x.transpose((2, 0, 1)), x.transpose(-1, 0, 1)):
        np.testing.assert_array_equal(found.data, A.transpose(2, 0, 1))
    for found in (x.transpose(), x.T):
        np.testing.assert_array_equal(found.data, A.T)
    for found in (Tensor(A[:, :1]).broadcast_to(2, 3, 4), Tensor(A[:, :1]).broadcast_to((2, 3, 4))):
        np.testing.assert_array_equal(found.data, np.broadcast_to(A[:, :1], A.shape))
    narrow = Tensor(A[None, :, :1])
    assert narrow.squeeze().shape == (2, 4) and narrow.squeeze(axis=0).shape == (2, 1, 4)
    assert narrow.squeeze((0, 2)).shape == (2, 4)
