"""What functions do where nothing is said: on three axes, where the last is not the second."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(2, 3, 4))


def test_along_the_last_axis():
    for found, expected in ((ops.sort(X)[0], np.sort(X)), (ops.argsort(X), np.argsort(X))):
        np.testing.assert_array_equal(found.data, expected)


def test_an_axis_that_was_looked_through_is_gone():
    assert ops.std(X, axis=1).shape == (2, 4) and ops.std(X, axis=1, keepdims=True).shape == (2, 1, 4)
    for name in ("argmax", "argmin"):
        assert getattr(ops, name)(X, axis=1).shape == (2, 4) and getattr(ops, name)(X, axis=1, keepdims=True).shape == (
            2,
            1,
            4,
        )


def test_equals_share_the_gradient_that_comes():
    for name in ("maximum", "minimum"):
        a, b = (Tensor(np.array([1.0, 2.0]), requires_grad=True) for _ in range(2))
        getattr(ops, name)(a, b).backward(np.array([3.0, -5.0]))
        np.testing.assert_array_equal(a.grad, [1.5, -2.5])
        np.testing.assert_array_equal(b.grad, [1.5, -2.5])


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_is_with_a_probability(p):
    with pytest.raises(ArgumentError, match="p"):
        ops.dropout(X, p=p, rng=np.random.default_rng(0))


def test_integers_are_clipped_between_an_integer_and_a_float_in_float32():
    for low, high in ((0, 1.5), (0.5, 3)):
        found = ops.clip(np.array([-1, 1, 5]), low=low, high=high)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.data, np.clip([-1, 1, 5], low, high))


def test_dropout_keeps_the_same_entries_in_every_precision():
    kept = [
        ops.dropout(np.ones(1000, d), p=0.5, rng=np.random.default_rng(0)).data != 0 for d in (np.float32, np.float64)
    ]
    np.testing.assert_array_equal(*kept)


def test_to_the_power_0_there_is_no_slope_also_where_the_exponents_are_an_array():
    x = Tensor(np.array([0.0, 2.0, 3.0]), requires_grad=True)
    ops.power(x, np.array([0.0, 0.0, 2.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 6])
