"""A checker that cannot fail proves nothing: each planted fault is found, and named."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck, op
from tinygrad_llm.errors import ArgumentError, GradientError

X = np.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.6]])


def wrong(value, gradient):
    """An operation with this value and this wrong derivative."""

    @op
    def planted(x):
        return value(x), lambda g, needs: gradient(g, x)

    return planted


def softmax(x):
    return ops.softmax.array(x)[0]


FAULTS = {
    "zero": (np.exp, lambda g, x: np.zeros_like(x), "zero"),
    "factor of 2": (np.square, lambda g, x: g * x, "factor of exactly 2"),
    "sign": (np.exp, lambda g, x: -g * np.exp(x), "sign"),
    "missing term": (softmax, lambda g, x: softmax(x) * g, "wrong axis"),
    "wrong axis": (softmax, lambda g, x: softmax(x) * (g - (g * softmax(x)).sum(0, keepdims=True)), "wrong axis"),
    "sum-loss": (softmax, lambda g, x: np.zeros_like(x), "zero"),
    "nan": (np.exp, lambda g, x: np.full_like(x, np.nan), "NaN"),
    "small": (np.exp, lambda g, x: g * np.exp(x) * 1.001, "almost"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_its_cause_is_named(name):
    value, gradient, cause = FAULTS[name]
    with pytest.raises(GradientError, match=cause) as found:
        gradcheck(wrong(value, gradient), [X])
    assert "planted, argument 0, index [0, 0]" in str(found.value)
    assert "ratio" in str(found.value)


def test_a_right_derivative_passes():
    assert gradcheck(ops.softmax, [X])
    assert gradcheck(ops.multiply, [X, X + 1])


def test_the_difference_is_taken_over_the_step_that_is_asked_for():
    """((x + h)^3 - (x - h)^3) / 2h = 3x^2 + h^2: at a step of 0.1 the right derivative is off by 0.01 everywhere."""
    assert gradcheck(lambda x: x * x * x, [X], eps=0.1, rtol=0, atol=0.01 * 1.5 + 1e-9)
    with pytest.raises(GradientError):
        gradcheck(lambda x: x * x * x, [X], eps=0.1, rtol=0, atol=0.004)


def test_the_second_argument_is_checked_too():
    @op
    def planted(a, b):
        return a * b, lambda g, needs: (g * b, g * b)

    with pytest.raises(GradientError, match="argument 1"):
        gradcheck(planted, [X, X + 2])


def test_what_cannot_be_checked_is_said():
    with pytest.raises(ArgumentError, match="float64"):
        gradcheck(ops.exp, [X.astype(np.float32)])
    with pytest.raises(GradientError, match="no gradient"):
        gradcheck(lambda x: ops.greater(x, 0.0), [X])


def test_the_inputs_are_left_as_they_were():
    kept = X.copy()
    gradcheck(ops.exp, [X])
    np.testing.assert_array_equal(X, kept)


def test_inputs_that_cannot_be_written_can_be_checked():
    x = np.array([0.3, -0.8])
    x.flags.writeable = False
    assert gradcheck(ops.tanh, [x])


def test_the_tolerance_grows_with_the_derivative():
    assert gradcheck(lambda x: 1e9 * ops.exp(x), [np.array([0.3, 1.7])])


def test_python_numbers_among_the_inputs_are_passed_as_they_are():
    assert gradcheck(ops.power, [np.array([0.5, 2.0]), 3.0])


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_fault_in_any_one_entry_is_found(place):
    def gradient(g, x):
        wrong_there = g * np.exp(x)
        wrong_there.reshape(-1)[place] *= 1.5
        return wrong_there

    with pytest.raises(GradientError) as found:
        gradcheck(wrong(np.exp, gradient), [X])
    assert f"index {[place // 3, place % 3]}" in str(found.value)


def test_options_reach_the_function_on_both_ways():
    @op
    def planted(x, factor=1.0):
        return factor * x, lambda g, needs: g * factor

    @op
    def forgetful(x, factor=1.0):
        return factor * x, lambda g, needs: g

    assert gradcheck(planted, [X], factor=3.0) and gradcheck(forgetful, [X])
    with pytest.raises(GradientError):
        gradcheck(forgetful, [X], factor=3.0)


def test_the_tolerances_are_those_that_are_given():
    slightly = wrong(np.exp, lambda g, x: g * np.exp(x) * 1.001)
    assert gradcheck(slightly, [X], rtol=1e-2) and gradcheck(slightly, [X], atol=0.1)
    with pytest.raises(GradientError):
        gradcheck(slightly, [X], rtol=1e-4)
    with pytest.raises(GradientError):
        gradcheck(wrong(lambda x: x, lambda g, x: g * (1 + 3e-5)), [X])  # the tolerance is 1e-5 unless told


def test_methods_of_a_tensor_can_be_used():
    assert gradcheck(lambda x: x.tanh() * x.var(correction=1), [X])
    assert gradcheck(lambda x, y: (x * y).sum(), [Tensor(X), X])
