"""Softmax and its logarithm: scores into probabilities."""

from __future__ import annotations

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import fused, namespace
from tinygrad_llm.errors import ShapeError


def _check(name, x, axis):
    if not x.ndim or not -x.ndim <= axis < x.ndim or not x.shape[axis]:
        raise ShapeError(name, f"at least one entry along axis {axis}", f"shape {x.shape}")


@op(integers="refuse")
def softmax(x, axis=-1):
    """y_i = exp(x_i) / sum_j exp(x_j).  (..., C) -> (..., C)

    dL/dx = y * (g - sum_j g_j y_j), with g = dL/dy.
    """
    xp = namespace(x)
    _check("softmax", x, axis)
    if axis in (-1, x.ndim - 1) and (kernels := fused(x)) is not None:
        return kernels.normalized("softmax", x)
    y = xp.exp(x - x.max(axis, keepdims=True))  # the shift cancels, and exp cannot overflow
    y /= y.sum(axis, keepdims=True)

    def vjp(g, needs):
        return y * (g - (g * y).sum(axis, keepdims=True))

    return y, vjp


@op(integers="refuse")
def log_softmax(x, axis=-1):
    """y_i = x_i - ln sum_j exp(x_j).  (..., C) -> (..., C)

    dL/dx = g - exp(y) * sum_j g_j.  Never the logarithm of a rounded probability.
    """
    xp = namespace(x)
    _check("log_softmax", x, axis)
    if axis in (-1, x.ndim - 1) and (kernels := fused(x)) is not None:
        return kernels.normalized("log_softmax", x)
    shifted = x - x.max(axis, keepdims=True)
    y = shifted - xp.log(xp.exp(shifted).sum(axis, keepdims=True))

    def vjp(g, needs):
        return g - xp.exp(y) * g.sum(axis, keepdims=True)

    return y, vjp
