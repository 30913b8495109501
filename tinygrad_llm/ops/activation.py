"""The non-linear functions between two linear layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import (
    Array,
    cast,
    fused,
    is_float,
    largest_finite,
    namespace,
    row_tiles,
    sum_rows,
    widened,
)
from tinygrad_llm.backend.erf import erf as erf_array
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError

GELU_LINEAR, GELU_CUBIC = 2 * math.sqrt(2 / math.pi), 0.044715
"""1 / (1 + exp(-GELU_LINEAR (x + GELU_CUBIC x^3))) ~ Phi(x): Hendrycks and Gimpel, section 2, tanh written as
logistic."""


@op(integers="float32")
def tanh(x):
    """(e^x - e^-x) / (e^x + e^-x).  dL/dx = g (1 - y^2)."""
    y = namespace(x).tanh(x)
    return y, lambda g, needs: g * (1 - y * y)


@op(integers="float32")
def sigmoid(x):
    """1 / (1 + e^-x).  dL/dx = g y (1 - y).  Accurate to the last bits for negative x too, where y is near 0."""
    y = _logistic(x)
    return y, lambda g, needs: g * y * (1 - y)


@op(integers="float32")
def log_sigmoid(x):
    """ln sigmoid(x) = min(x, 0) - ln(1 + e^-|x|).  dL/dx = g sigmoid(-x).

    Finite for every finite x, where log(sigmoid(x)) is the logarithm of 0 once e^-x has no place in the dtype.
    """
    xp = namespace(x)
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x))), lambda g, needs: g * _logistic(-x)


@op(integers="float32")
def softplus(x):
    """ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), a smooth relu.  dL/dx = g sigmoid(x)."""
    xp = namespace(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))), lambda g, needs: g * _logistic(x)


def _logistic(x: Array) -> Array:
    """1 / (1 + e^-x). An exponential that overflows to infinity gives 0, which is the right value."""
    xp = namespace(x)
    with np.errstate(over="ignore"):
        y = xp.asarray(xp.exp(-x))  # an array of its own; of an x without axes NumPy makes a scalar
    y += 1
    return xp.divide(1, y, out=y)


@op(integers="float32")
def erf(x):
    """2/sqrt(pi) * integral of e^(-t^2) from 0 to x.  dL/dx = g 2/sqrt(pi) e^(-x^2)."""
    xp = namespace(x)
    return erf_array(x), lambda g, needs: g * (2 / math.sqrt(math.pi)) * xp.exp(-x * x)


@op
def relu(x):
    """max(x, 0).  dL/dx = g where x > 0, else 0 (at the corner too)."""
    xp = namespace(x)
    return xp.maximum(x, 0), lambda g, needs: g * (x > 0)


@op(integers="refuse")
def silu(x):
    """x sigmoid(x), also called swish.  dL/dx = g s (1 + x (1 - s)), s = sigmoid(x)."""
    if (kernels := fused(x)) is not None:
        return kernels.activation("silu", x)
    s = _logistic(x)

    def vjp(g, needs):
        slope = 1 - s
        slope *= x
        slope += 1
        slope *= s
        return g * slope

    return x * s, vjp


@op(integers="refuse")
def gelu(x, bias: Array | None = None, approximate="none"):
    """u Phi(u) of u = x + b, Phi the normal distribution function: each input weighted by how large it is among
    others.  (..., D), (D,) -> (..., D); without a bias any shape.

    "none": Phi(u) = (1 + erf(u / sqrt 2)) / 2.  dL/dx = g (Phi(u) + u phi(u)), phi the normal density.
    "tanh": Phi(u) ~ (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3))) / 2, which GPT-2 uses.
    dL/db = the sum of dL/dx over rows. The bias is the linear layer's below: added here, it costs no pass over memory.
    Beside bfloat16 x a float32 bias stays as it is: u is formed in float32, GELU too, and the result is rounded once;
    dL/db is summed, and stays, in float32.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError("approximate", "'none' or 'tanh'", repr(approximate))
    if bias is not None:
        _check_bias(x, bias)
    if (kernels := fused(x, bias)) is not None:
        return kernels.activation("gelu_tanh" if approximate == "tanh" else "gelu_erf", x, bias)
    plain = _gelu_tanh if approximate == "tanh" else _gelu_erf
    if bias is None:
        return plain(x)
    y, vjp = plain(widened(x), widened(bias))
    dtype, rows = x.dtype, math.prod(x.shape[:-1])  # x itself is not kept

    def vjp_of_both(g, needs):
        dx = cast(vjp(widened(g), needs), dtype)
        return dx, sum_rows(dx.reshape(rows, len(bias)), bias.dtype) if needs[1] else None

    return cast(y, dtype), None if vjp is None else vjp_of_both


def _check_bias(x: Array, bias: Array) -> None:
    if not (is_float(x.dtype) and is_float(bias.dtype)):
        raise DtypeError(
            "gelu", "x and bias of floats", f"{x.dtype} and {bias.dtype}", "Convert with .astype('float32')."
        )
    if bias.ndim != 1 or bias.shape != x.shape[-1:]:
        raise ShapeError("bias", f"(D,) = {x.shape[-1:]}", bias.shape)


def _gelu_erf(x: Array, bias: Array | None = None) -> tuple[Array, Any]:
    """The exact form."""
    xp = namespace(x)
    x = x if bias is None else x + bias
    # in float64: 1 + erf cancels for negative x, and float32 would leave nothing of it from x = -6 on
    u = x * math.sqrt(0.5)
    cumulative = (0.5 * (1 + erf_array(u.astype(np.float64)))).astype(u.dtype, copy=False)

    def vjp(g, needs):
        with np.errstate(over="ignore"):  # e^-inf = 0
            density = xp.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        return g * (cumulative + x * density)

    return x * cumulative, vjp


def _gelu_tanh(x: Array, bias: Array | None = None) -> tuple[Array, Any]:
    """Value and slope together, tile by tile: both need the same exponential, and a tile stays in the cache.

    (1 + tanh u)/2 = 1/(1 + e^-2u) = s, so with z = 2u = x (a + b x^2):  y = x s,  y' = s + (1 - s) y (a + 3 b x^2).
    Without a recorded graph there is no slope to compute.
    """
    xp = namespace(x)
    rows = xp.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), x.shape[-1] if x.ndim else 1)
    y = xp.empty_like(rows)
    slope = xp.empty_like(rows) if MODE.get().grad_enabled else None
    one, a, minus_b, minus_3 = (xp.asarray(c, dtype=x.dtype) for c in (1, GELU_LINEAR, -GELU_LINEAR * GELU_CUBIC, -3))
    largest = xp.asarray(largest_finite(x.dtype), dtype=x.dtype)
    with np.errstate(over="ignore"):  # e^-z = inf gives s = 0
        for tile in row_tiles(len(rows), rows.shape[-1] * rows.itemsize):
            part, value = rows[tile], y[tile]
            if bias is not None:
                part = xp.add(part, bias, out=value)  # its place until the value is there
            d = xp.multiply(part, part, out=None if slope is None else slope[tile])
            if slope is not None and d.size and not d.max() <= largest:  # 0 times infinity is NaN, and 0 is meant
                xp.minimum(d, largest, out=d)
            d *= minus_b
            s = d - a
            s *= part  # -z
            xp.exp(s, out=s)
            s += one
            xp.divide(one, s, out=s)
            xp.multiply(part, s, out=value)
            if slope is not None:
                d *= minus_3
                d += a
                rest = one - s
                rest *= value
                d *= rest
                d += s
    if slope is None:
        return y.reshape(x.shape), None
    slope = slope.reshape(x.shape)
    return y.reshape(x.shape), lambda g, needs: g * slope


@op(integers="refuse")
def swiglu(gate, up):
    """silu(gate) * up.  (..., F), (..., F) -> (..., F)

    dL/dup = g silu(gate), dL/dgate = g up silu'(gate).  Source: Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    if gate.shape == up.shape and gate.dtype == up.dtype and (kernels := fused(gate)) is not None:
        return kernels.swiglu(gate, up)
    s = _logistic(gate)
    activated = gate * s

    def vjp(g, needs):
        dgate = None
        if needs[0]:
            dgate = 1 - s
            dgate *= activated
            dgate += s  # silu'(gate)
            dgate *= up
            dgate *= g
        return dgate, g * activated if needs[1] else None

    return activated * up, vjp
