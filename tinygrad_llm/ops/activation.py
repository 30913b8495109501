"""The non-linear functions between two linear layers."""

from __future__ import annotations

import math

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import fused, namespace, row_tiles
from tinygrad_llm.backend.erf import erf as erf_array
from tinygrad_llm.errors import ArgumentError

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715  # Hendrycks and Gimpel, "Gaussian Error Linear Units", section 2


@op(integers="float32")
def tanh(x):
    """(e^x - e^-x) / (e^x + e^-x).  dL/dx = g (1 - y^2)."""
    y = namespace(x).tanh(x)
    return y, lambda g, needs: g * (1 - y * y)


@op(integers="float32")
def sigmoid(x):
    """1 / (1 + e^-x), written with tanh so that nothing overflows.  dL/dx = g y (1 - y)."""
    y = 0.5 * namespace(x).tanh(0.5 * x) + 0.5
    return y, lambda g, needs: g * y * (1 - y)


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


@op
def silu(x):
    """x sigmoid(x), also called swish.  dL/dx = g s (1 + x (1 - s)), s = sigmoid(x)."""
    if (kernels := fused(x)) is not None:
        return kernels.bent("silu", x)
    s = sigmoid.array(x)[0]
    return x * s, lambda g, needs: g * (s * (1 + x * (1 - s)))


@op
def gelu(x, approximate="none"):
    """x Phi(x), Phi the normal distribution function: each input weighted by how large it is among others.

    "none": Phi(x) = (1 + erf(x / sqrt 2)) / 2.  dL/dx = g (Phi(x) + x phi(x)), phi the normal density.
    "tanh": Phi(x) ~ (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, which GPT-2 uses.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError("approximate", "'none' or 'tanh'", repr(approximate))
    if (kernels := fused(x)) is not None:
        return kernels.bent("gelu_tanh" if approximate == "tanh" else "gelu_erf", x)
    if approximate == "tanh":
        return _gelu_tanh(x)
    xp = namespace(x)
    cumulative = 0.5 * (1 + erf_array(x * math.sqrt(0.5)))

    def vjp(g, needs):
        density = xp.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        return g * (cumulative + x * density)

    return x * cumulative, vjp


def _gelu_tanh(x):
    """Value and slope together, tile by tile: both need the same tanh, and the cache holds a tile for all passes.

    With u = sqrt(2/pi) (x + c x^3), t = tanh u, h = (1 + t)/2:  y = x h,  y' = h + x h (1 - t) u'
    where u' = sqrt(2/pi) (1 + 3 c x^2), since (1 - t^2)/2 = h (1 - t). `x*x*x` costs a tenth of `x**3` in NumPy.
    """
    xp = namespace(x)
    rows = xp.ascontiguousarray(x).reshape(-1, x.shape[-1] if x.ndim else 1)
    y, slope = xp.empty_like(rows), xp.empty_like(rows)
    for tile in row_tiles(len(rows), rows.shape[-1] * rows.itemsize):
        part, value, s = rows[tile], y[tile], slope[tile]
        xp.multiply(part, part, out=s)  # x^2
        s *= SQRT_2_OVER_PI * GELU_CUBIC
        t = s + SQRT_2_OVER_PI
        t *= part
        xp.tanh(t, out=t)
        s *= 3
        s += SQRT_2_OVER_PI  # u'
        h = t * 0.5
        h += 0.5
        xp.multiply(part, h, out=value)  # y
        xp.subtract(1, t, out=t)
        t *= value
        s *= t
        s += h
    slope = slope.reshape(x.shape)
    return y.reshape(x.shape), lambda g, needs: g * slope


@op
def swiglu(gate, up):
    """silu(gate) * up.  (..., F), (..., F) -> (..., F)

    dL/dup = g silu(gate), dL/dgate = g up silu'(gate).  Source: Shazeer, "GLU Variants Improve Transformer", 2020.
    """
    if gate.shape == up.shape and gate.dtype == up.dtype and (kernels := fused(gate)) is not None:
        return kernels.swiglu(gate, up)
    s = sigmoid.array(gate)[0]
    activated = gate * s

    def vjp(g, needs):
        slope = s + activated * (1 - s)
        return g * up * slope if needs[0] else None, g * activated if needs[1] else None

    return activated * up, vjp
