"""Sums of many float32 numbers keep their digits, and what is constant has no deviation at all."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import sum_rows

MANY = (1 << 24) + (1 << 20)


def ones(*shape):
    """Ones that take no memory."""
    return np.broadcast_to(np.float32(1), shape)


def test_seventeen_million_ones_are_seventeen_million():
    assert sum_rows(ones(MANY, 1)).tolist() == [MANY]
    assert ops.sum(ones(MANY, 2), axis=0).data.tolist() == [MANY, MANY]
    assert ops.mean(ones(2, MANY).T, axis=0).data.tolist() == [1, 1]


def test_the_gradient_of_what_was_broadcast_to_many_rows_is_their_number():
    b = Tensor(np.zeros(2, np.float32), requires_grad=True)
    y = ops.broadcast_to(b, shape=(MANY, 2))
    y.backward(ones(MANY, 2))
    assert b.grad.tolist() == [MANY, MANY]


def test_sums_over_rows_are_as_exact_as_float32():
    x = np.random.default_rng(0).random((300_000, 3), np.float32)
    exact = x.sum(0, dtype=np.float64)
    np.testing.assert_allclose(sum_rows(x), exact, rtol=2e-7)
    np.testing.assert_allclose(ops.mean(x, axis=0).data, exact / len(x), rtol=2e-7)
    np.testing.assert_allclose(ops.var(x, axis=0).data, x.astype(np.float64).var(0), rtol=1e-6)
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    ops.rms_norm(x, w).backward(np.ones_like(x))
    normal = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(w.grad, normal.sum(0), rtol=2e-6)


@pytest.mark.parametrize("width", [3, 96, 128, 1000])
@pytest.mark.parametrize("size", [0.1, 100.0, 1000.0, 12345.678, 3e8])
def test_a_constant_row_has_no_deviation(size, width):
    x = np.full((5, width), size, np.float32)
    assert not ops.layer_norm(x).data.any()
    assert (ops.layer_norm(x, np.ones(width, np.float32), np.full(width, 2, np.float32)).data == 2).all()


@pytest.mark.parametrize("mean", [0.0, 1e3, 1e5])
def test_layer_norm_sees_small_differences_beside_a_large_mean(mean):
    x = (mean + np.random.default_rng(1).normal(size=(50, 300))).astype(np.float32)
    wide = x.astype(np.float64)
    exact = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ops.layer_norm(x).data, exact, atol=3e-6)
