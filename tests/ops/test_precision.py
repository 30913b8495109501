"""Where a formula as it stands in a textbook loses digits, overflows or takes ln 0, the operation does not."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor


def slope(f, x, g=None):
    t = Tensor(x, requires_grad=True)
    y = f(t)
    y.backward(np.ones(y.shape, x.dtype) if g is None else g)
    return t.grad


SMALL = [1e-30, 1e-10, -1e-10, 3e-8, 1e-4, 0.3]
EXACT = {  # an operation, numbers, what Python's math makes of them, its slope
    "log1p": (ops.log1p, SMALL, math.log1p, lambda v: 1 / (1 + v)),
    "softplus": (ops.softplus, [-80.0, -40.0, -20.0, 0.0, 30.0, 1000.0], lambda v: max(v, 0) + math.log1p(math.exp(-abs(v))),
                 lambda v: 1 / (1 + math.exp(-v))),
    "log_sigmoid": (ops.log_sigmoid, [-1000.0, -30.0, 0.0, 20.0, 40.0, 80.0], lambda v: min(v, 0) - math.log1p(math.exp(-abs(v))),
                    lambda v: math.exp(-v) / (1 + math.exp(-v)) if v > 0 else 1 / (1 + math.exp(v))),
    "sigmoid": (ops.sigmoid, [-80.0, -20.0, 0.0, 3.0, 1000.0], lambda v: 1 / (1 + math.exp(-v)), None),
    "gelu": (ops.gelu, [-9.0, -7.0, -5.0, -1.0, 0.0, 4.0], lambda v: v * math.erfc(-v / math.sqrt(2)) / 2,
             lambda v: math.erfc(-v / math.sqrt(2)) / 2 + v * math.exp(-v * v / 2) / math.sqrt(2 * math.pi)),
    "erf": (ops.erf, [-3.0, -1e-9, 1e-9, 0.5, 2.0], math.erf, lambda v: 2 / math.sqrt(math.pi) * math.exp(-v * v)),
    "tanh": (ops.tanh, [-30.0, -1e-9, 1e-9, 0.5, 30.0], math.tanh, None),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_small_and_large_numbers_keep_their_digits(name, dtype):
    op, values, value, derivative = EXACT[name]
    x = np.array(values, dtype)
    # of gelu's far tail float64's 1 + erf keeps fewer digits; float32 is computed in float64 and loses none
    close = {"rtol": 2e-6 if dtype == np.float32 else 1e-12, "atol": 1e-15 if name == "gelu" else 0.0}
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(op(x).data, [value(float(v)) for v in x], **close)
        if derivative is not None:
            np.testing.assert_allclose(slope(op, x), [derivative(float(v)) for v in x], **close)


FAR = np.array([[1000.0, 0.0, -1000.0], [-800.0, -800.0, -700.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_any_size_have_logarithms(dtype):
    x = FAR.astype(dtype)
    np.testing.assert_allclose(ops.log_softmax(x).data, [[0, -1000, -2000], [-100, -100, 0]], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ops.logsumexp(x).data, [1000, -700], rtol=1e-6)
    targets, weight = np.array([2, 1]), np.array([1.0, 2.0, 3.0], dtype)
    assert ops.cross_entropy(x, targets, reduction="sum").item() == pytest.approx(2100)
    assert ops.cross_entropy(x, targets, weight=weight, reduction="sum").item() == pytest.approx(6200)
    assert ops.linear_cross_entropy(x, np.eye(3, dtype=dtype), targets, divisor=1).item() == pytest.approx(2100)
    bits = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0]], dtype)
    assert ops.binary_cross_entropy(x, bits).item() == pytest.approx((1000 + math.log(2) + 1000 + 800) / 6)
    found = slope(lambda t: ops.binary_cross_entropy(t, bits), x)
    np.testing.assert_allclose(found * 6, [[1, -0.5, -1], [0, -1, 0]], atol=1e-6)


@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0])
def test_a_log_probability_is_no_logarithm_of_a_rounded_probability(spread):
    x = np.linspace(0, 3 * spread, 4, dtype=np.float32) - np.float32(40 * (spread > 1))
    exact = x.astype(np.float64) - np.log(np.exp(x.astype(np.float64)).sum())
    np.testing.assert_allclose(ops.log_softmax(x).data, exact, rtol=1e-5, atol=2e-7)
    assert ops.log_softmax(np.array([30.0, 0.0], np.float32)).data[0] == pytest.approx(-math.exp(-30), abs=1e-7)


def exact_mean(x):
    return float(sum((Fraction(float(v)) for v in x), Fraction(0)) / len(x))


@pytest.mark.parametrize("offset", [0.1, 1000.0])
def test_sums_along_the_first_axis_keep_their_digits(offset):
    """NumPy adds rows one after the other, in float32: of 100,000 tenths only three digits are right."""
    column = (offset + np.random.default_rng(0).random(100_000)).astype(np.float32)
    x = np.stack([column, column[::-1]], 1)
    exact = exact_mean(column)
    np.testing.assert_allclose(ops.mean(x, axis=0).data, exact, rtol=2e-7)
    np.testing.assert_allclose(ops.sum(x, axis=0).data, exact * len(column), rtol=2e-7)
    np.testing.assert_allclose(ops.sum(Tensor(x), axis=0, keepdims=True).data, [[exact * len(column)] * 2], rtol=2e-7)
    np.testing.assert_allclose(ops.var(x, axis=0).data, column.astype(np.float64).var(), rtol=1e-5)
    np.testing.assert_allclose(ops.std(x, axis=0).data, column.astype(np.float64).std(), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_variance_beside_a_large_mean_is_a_variance(dtype):
    x = np.array([1.0, 2.0, 4.0], dtype) + (10_000 if dtype == np.float32 else 1e8)
    expected = np.var([1.0, 2.0, 4.0])
    np.testing.assert_allclose(ops.var(x).data, expected, rtol=1e-5)
    np.testing.assert_allclose(ops.var(x, correction=1).data, expected * 1.5, rtol=1e-5)
    np.testing.assert_allclose(ops.std(x).data, math.sqrt(expected), rtol=1e-5)
    normal = (np.array([1.0, 2.0, 4.0]) - 7 / 3) / math.sqrt(expected + 1e-5)
    np.testing.assert_allclose(ops.layer_norm(x).data, normal, rtol=1e-3)


def test_running_sums_and_sums_of_small_integers_do_not_wrap():
    x = np.full(300, 100, np.int8)
    assert ops.cumsum(x).data[-1] == ops.sum(x).item() == 30_000
    assert ops.cumsum(np.ones(300, bool)).data[-1] == 300 and ops.mean(x).item() == 100


def test_far_positions_are_told_apart():
    """Angles are float64: in float32 position 100,000,001 is 100,000,000."""
    positions = np.array([0, 1, 100_000_000, 100_000_001])
    cos, sin = ops.rope_table(positions, 4, base=100.0)
    for column, factor in enumerate((1.0, 0.1)):
        angles = [math.fmod(int(p) * factor, 2 * math.pi) for p in positions]
        np.testing.assert_allclose(cos[:, column], np.cos(angles), rtol=0, atol=1e-6)
        np.testing.assert_allclose(sin[:, column], np.sin(angles), rtol=0, atol=1e-6)
    assert (
        cos.dtype == sin.dtype == np.float64
        and ops.rope_table(positions.astype(np.float32)[:2], 4)[0].dtype == np.float64
    )


def test_an_inverse_root_is_one_over_the_root_of_tiny_numbers_too():
    for dtype, tiny in ((np.float32, 1e-30), (np.float64, 1e-300)):
        x = np.array([tiny, 1e-6, 4.0], dtype)
        np.testing.assert_allclose(ops.rsqrt(x).data, 1 / np.sqrt(x), rtol=1e-6)
        np.testing.assert_allclose(ops.sqrt(x).data, np.sqrt(x), rtol=1e-6)
    x = np.array([1e-6, 0.25, 4.0])
    np.testing.assert_allclose(slope(ops.rsqrt, x), -0.5 * x**-1.5, rtol=1e-12)
    np.testing.assert_allclose(slope(ops.sqrt, x), 0.5 * x**-0.5, rtol=1e-12)


def test_the_loss_of_a_sure_and_right_answer_keeps_its_digits():
    for logit, target in ((20.0, 1.0), (-20.0, 0.0), (30.0, 1.0)):
        loss = ops.binary_cross_entropy(Tensor(np.float32([logit])), np.float32([target])).item()
        assert loss == pytest.approx(math.log1p(math.exp(-abs(logit))), rel=1e-6)
