"""Activations far from zero: each keeps the digits of its tails, and nothing overflows aloud."""

from __future__ import annotations

import math
import weakref

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.backend import largest_finite

TAILS = np.concatenate([-np.geomspace(0.01, 80, 60)[::-1], [0.0], np.geomspace(0.01, 80, 60)])


def logistic(x):
    """In float64, from the side where nothing cancels."""
    return np.where(x < 0, np.exp(np.minimum(x, 0)) / (1 + np.exp(np.minimum(x, 0))), 1 / (1 + np.exp(-np.abs(x))))


def value_and_slope(op, x, **options):
    leaf = Tensor(x, requires_grad=True)
    y = op(leaf, **options)
    y.backward(np.ones_like(x))
    return y.data, leaf.grad


def test_sigmoid_keeps_its_digits_in_both_tails():
    x = TAILS.astype(np.float32)
    y, slope = value_and_slope(ops.sigmoid, x)
    exact = logistic(x.astype(np.float64))
    np.testing.assert_allclose(y, exact, rtol=3e-7)
    np.testing.assert_allclose(slope[x <= 0], (exact * (1 - exact))[x <= 0], rtol=1e-6)
    assert np.isfinite(-np.log(y)).all()


@pytest.mark.parametrize("x", [20.0, -20.0, 5.0, -60.0])
def test_silu_and_gelu_keep_their_digits_in_the_left_tail(x):
    s = float(logistic(np.array(x)))
    one = np.array([x], np.float32)
    assert ops.silu(one).data[0] == pytest.approx(x * s, rel=1e-5, abs=0)
    assert ops.swiglu(one, np.array([2.0], np.float32)).data[0] == pytest.approx(2 * x * s, rel=1e-5, abs=0)
    x /= 10
    one = np.array([x], np.float32)
    assert ops.gelu(one).data[0] == pytest.approx(x * math.erfc(-x / math.sqrt(2)) / 2, rel=1e-5, abs=0)
    z = 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    assert ops.gelu(one, approximate="tanh").data[0] == pytest.approx(x * float(logistic(np.array(z))), rel=1e-5, abs=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sigmoid", "silu", "gelu", "log_sigmoid", "softplus"])
def test_numbers_as_large_as_they_come_overflow_nothing(name, dtype):
    x = np.array([-1e13, -1e4, -750, -100, 100, 750, 1e4, 1e13], dtype)
    for options in [{}, {"approximate": "tanh"}] if name == "gelu" else [{}]:
        y, slope = value_and_slope(getattr(ops, name), x, **options)
        assert np.isfinite(y).all() and np.isfinite(slope).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", ["silu", "gelu", "gelu tanh"])
def test_where_squares_overflow_the_value_is_x_and_the_slope_1_or_both_are_0(name, dtype):
    """In one row with numbers that are not so large, and alone."""
    dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    far = np.array([0.5, 0.9, 0.01, 1e-9]) * largest_finite(np.dtype(dtype))
    op, options = getattr(ops, name.split()[0]), {"approximate": "tanh"} if "tanh" in name else {}
    near = np.linspace(-4, 4, 9)
    for x in (np.concatenate([far, -far, near]).astype(dtype), *far.astype(dtype).reshape(-1, 1)):
        y, slope = value_and_slope(op, x, **options)
        positive, negative = x > 1e9, x < -1e9
        assert (y[positive] == x[positive]).all() and (slope[positive] == 1).all()
        assert (y[negative] == 0).all() and (slope[negative] == 0).all()
        inside = ~(positive | negative)
        alone = value_and_slope(op, x[inside], **options)
        np.testing.assert_array_equal(y[inside], alone[0])
        np.testing.assert_array_equal(slope[inside], alone[1])


def test_the_logarithm_of_a_sigmoid_is_finite_where_the_sigmoid_is_not_above_zero():
    x = np.array([-200.0, -1e4, 30.0], np.float32)
    y, slope = value_and_slope(ops.log_sigmoid, x)
    np.testing.assert_allclose(y, [-200, -1e4, -math.exp(-30)], rtol=1e-6)
    np.testing.assert_allclose(slope, [1, 1, math.exp(-30)], rtol=1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "other"),
    [("sigmoid", "sigmoid"), ("log_sigmoid", "logsigmoid"), ("softplus", "softplus"), ("silu", "silu")],
)
def test_values_and_slopes_are_pytorchs(name, other, dtype):
    import torch

    x = (TAILS / 5).astype(dtype)  # within the 20 from which on PyTorch calls softplus a straight line
    y, slope = value_and_slope(getattr(ops, name), x)
    leaf = torch.tensor(x, requires_grad=True)
    value = getattr(torch.nn.functional, other)(leaf)
    value.sum().backward()
    bound = 1e-13 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(y, value.detach().numpy(), rtol=bound)
    np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=8 * bound, atol=bound * 1e-1)


def test_gelu_without_a_graph_has_the_same_value():
    x = np.linspace(-4, 4, 700).reshape(7, 100)
    recorded = ops.gelu(Tensor(x, requires_grad=True), approximate="tanh").data
    with no_grad():
        np.testing.assert_array_equal(ops.gelu(Tensor(x), approximate="tanh").data, recorded)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 65), (0, 4), (3, 0), (2, 0, 5), (700, 96), (90, 1, 1027)])
def test_gelu_of_x_and_a_bias_is_gelu_of_their_sum(shape, approximate):
    """Bit by bit: where it is added changes nothing. In one tile, and in many."""
    rng = np.random.default_rng(0)
    x, b, g = (rng.normal(size=size).astype(np.float32) for size in (shape, shape[-1:], shape))
    ways = {
        "at once": lambda x, b: ops.gelu(x, b, approximate=approximate),
        "before": lambda x, b: ops.gelu(x + b, approximate=approximate),
    }
    found = []
    for way in ways.values():
        leaves = [Tensor(x, requires_grad=True), Tensor(b, requires_grad=True)]
        y = way(*leaves)
        y.backward(g)
        found.append((y.data, leaves[0].grad, leaves[1].grad))
    for one, other in zip(*(results[:2] for results in found), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-4, atol=1e-5)
    with no_grad():
        np.testing.assert_array_equal(ways["at once"](Tensor(x), Tensor(b)).data, found[0][0])


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_a_sum_takes_any_layout_and_writes_into_none(approximate):
    rng = np.random.default_rng(1)
    x, b, g = rng.normal(size=(3, 4, 5)), rng.normal(size=10)[::2], rng.normal(size=(4, 3, 5))
    before = x.copy(), b.copy(), g.copy()
    turned, bias = Tensor(x, requires_grad=True), Tensor(b, requires_grad=True)
    ops.gelu(turned.swapaxes(0, 1), bias, approximate=approximate).backward(g)
    u = Tensor(x.swapaxes(0, 1) + b, requires_grad=True)
    ops.composed.gelu(u, approximate=approximate).backward(g)
    np.testing.assert_allclose(turned.grad, u.grad.swapaxes(0, 1), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(bias.grad, u.grad.sum((0, 1)), rtol=1e-10, atol=1e-12)
    for array, old in zip((x, b, g), before):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("frozen", [0, 1])
def test_gelu_of_a_sum_has_a_gradient_for_each_that_wants_one(frozen, approximate):
    rng = np.random.default_rng(2)
    arrays = rng.normal(size=(6, 4)), rng.normal(size=4)
    leaves = [Tensor(a, requires_grad=i != frozen) for i, a in enumerate(arrays)]
    ops.gelu(*leaves, approximate=approximate).backward(np.ones((6, 4)))
    u = Tensor(arrays[0] + arrays[1], requires_grad=True)
    ops.gelu(u, approximate=approximate).backward(np.ones((6, 4)))
    assert leaves[frozen].grad is None
    np.testing.assert_allclose(leaves[1 - frozen].grad, u.grad.sum(0) if frozen == 0 else u.grad, rtol=1e-12)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_a_sum_does_not_keep_x(approximate):
    """Training holds all activations at once: of a layer's product nothing is needed but the slope, or the sum."""
    x = np.random.default_rng(5).normal(size=(4, 8))
    y, vjp = ops.gelu.array(x, np.ones(8), approximate)
    kept = weakref.ref(x)
    del x
    assert kept() is None and y.shape == vjp(y, (True, True))[0].shape


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_beside_bfloat16_the_sum_is_formed_in_float32_and_rounded_once(approximate):
    """x = 1 and b = 2^-10: in bfloat16 1 + b is 1. And the bias's gradient adds up more than eight bits hold."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    rng = np.random.default_rng(3)
    x = np.concatenate([np.ones((1, 64)), rng.normal(size=(999, 64))]).astype(bfloat16)
    b = np.concatenate([np.full(32, 2.0**-10), rng.normal(size=32)]).astype(np.float32)
    leaves = Tensor(x, requires_grad=True), Tensor(b, requires_grad=True)
    y = ops.gelu(*leaves, approximate=approximate)
    y.backward(np.ones(x.shape, bfloat16))
    u = Tensor(x.astype(np.float64) + b, requires_grad=True)
    exact = ops.gelu(u, approximate=approximate)
    exact.backward(np.ones(x.shape))
    assert y.dtype == leaves[0].grad.dtype == bfloat16 and leaves[1].grad.dtype == np.float32
    for found, right in ((y.data, exact.data), (leaves[0].grad, u.grad)):
        assert (found != right.astype(bfloat16)).mean() < 0.01  # float32 falls onto the other side of a boundary
    np.testing.assert_allclose(leaves[1].grad, leaves[0].grad.astype(np.float64).sum(0), rtol=1e-6)
    half = ops.gelu(Tensor(x), Tensor(b.astype(bfloat16)), approximate=approximate)
    assert half.dtype == bfloat16


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_where_the_square_of_a_sum_overflows_its_slope_is_1_or_0(approximate):
    x, b = np.array([[1e-3, -1e-3], [1e19, -1e19]], np.float32), np.array([1e20, -1e20], np.float32)
    leaves = Tensor(x, requires_grad=True), Tensor(b, requires_grad=True)
    y = ops.gelu(*leaves, approximate=approximate)
    y.backward(np.ones_like(x))
    np.testing.assert_array_equal(y.data, np.maximum(x + b, 0))
    np.testing.assert_array_equal(leaves[0].grad, [[1, 0], [1, 0]])
    np.testing.assert_array_equal(leaves[1].grad, [2, 0])


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("shape", [(5,), (7, 65), (2, 3, 768)])
def test_gelu_of_a_sum_is_pytorchs(shape, approximate, dtype):
    import torch

    rng = np.random.default_rng(4)
    x, b, g = (rng.normal(size=size).astype(dtype) for size in (shape, shape[-1:], shape))
    ours, theirs = ([make(a) for a in (x, b)] for make in (Tensor, torch.tensor))
    for leaf in (*ours, *theirs):
        leaf.requires_grad = True
    y = ops.gelu(*ours, approximate=approximate)
    y.backward(g)
    other = torch.nn.functional.gelu(theirs[0] + theirs[1], approximate=approximate)
    other.backward(torch.tensor(g))
    bound = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(y.data, other.detach().numpy(), rtol=bound, atol=bound)
    for one, another in zip(ours, theirs):
        np.testing.assert_allclose(one.grad, another.grad.numpy(), rtol=4 * bound, atol=4 * bound)
