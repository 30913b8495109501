"""Arithmetic and functions, entry by entry. Shapes are broadcast; `backward` undoes that for the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.autograd.op import op
from tinygrad_llm.autograd.promotion import promoted
from tinygrad_llm.backend import Array, BoolArray, as_dtype, cast, is_array, is_float, namespace, widened
from tinygrad_llm.backend import add as add_arrays
from tinygrad_llm.backend import where as where_arrays
from tinygrad_llm.errors import ArgumentError


@op(integers="promote")
def add(a, b):
    """a + b.  dL/da = g, dL/db = g."""
    return add_arrays(a, b), lambda g, needs: (g, g)


@op(integers="promote")
def subtract(a, b):
    """a - b.  dL/da = g, dL/db = -g."""
    return a - b, lambda g, needs: (g, -g if needs[1] else None)


@op(integers="promote")
def multiply(a, b):
    """a b.  dL/da = g b, dL/db = g a."""
    return a * b, lambda g, needs: (g * b if needs[0] else None, g * a if needs[1] else None)


@op(integers="float32")
def divide(a, b):
    """a / b.  dL/da = g / b, dL/db = -g (a / b) / b."""
    y = a / b
    return y, lambda g, needs: (g / b if needs[0] else None, -g * y / b if needs[1] else None)


@op(integers="promote")
def floor_divide(a, b):
    """The largest integer that is not above a / b.  It has steps and no derivative, so nothing is recorded."""
    return a // b, None


@op(integers="promote")
def remainder(a, b):
    """a - b floor(a / b), with the sign of b.  dL/da = g, dL/db = -g floor(a / b)."""
    return a % b, lambda g, needs: (g, -g * (a // b) if needs[1] else None)


@op(integers="promote")
def power(a, b):
    """a^b.  dL/da = g b a^(b-1), dL/db = g a^b ln a (0 where a is 0 and b is not negative, as in PyTorch)."""
    xp = namespace(a, b)
    y = a**b

    def vjp(g, needs):
        da = g * b * a ** _minus_one(xp, b) if needs[0] else None
        db = g * (y * xp.log(xp.where((a == 0) & (b >= 0), xp.ones_like(y), a))) if needs[1] else None
        return da, db

    return y, vjp


def _minus_one(xp: Any, b: Any) -> Any:
    """b - 1, but 0 where b is 0: a^0 is constant, and 0^(-1) would be infinite times zero."""
    return (b - 1 if b != 0 else 0) if not hasattr(b, "dtype") else xp.where(b == 0, xp.zeros_like(b), b - 1)


@op
def negative(x):
    """-x.  dL/dx = -g."""
    return -x, lambda g, needs: -g


@op
def absolute(x):
    """|x|.  dL/dx = g sign(x), 0 at the corner."""
    xp = namespace(x)
    return xp.abs(x), lambda g, needs: g * xp.sign(x)


@op
def sign(x):
    """-1, 0 or 1.  dL/dx = 0."""
    xp = namespace(x)
    return xp.sign(widened(x)).astype(x.dtype, copy=False), lambda g, needs: xp.zeros_like(g)


@op(integers="float32")
def exp(x):
    """e^x.  dL/dx = g e^x."""
    y = namespace(x).exp(x)
    return y, lambda g, needs: g * y


@op(integers="float32")
def log(x):
    """ln x.  dL/dx = g / x."""
    return namespace(x).log(x), lambda g, needs: g / x


@op(integers="float32")
def log1p(x):
    """ln(1 + x), exact for small x.  dL/dx = g / (1 + x)."""
    return namespace(x).log1p(x), lambda g, needs: g / (1 + x)


@op(integers="float32")
def sqrt(x):
    """x^(1/2).  dL/dx = g / (2 sqrt x)."""
    y = namespace(x).sqrt(x)
    return y, lambda g, needs: g / (2 * y)


@op(integers="float32")
def rsqrt(x):
    """x^(-1/2).  dL/dx = -g y / (2 x)."""
    y = 1 / namespace(x).sqrt(x)
    return y, lambda g, needs: g * y / (-2 * x)


@op(integers="float32")
def sin(x):
    """sin x (radians).  dL/dx = g cos x."""
    xp = namespace(x)
    return xp.sin(x), lambda g, needs: g * xp.cos(x)


@op(integers="float32")
def cos(x):
    """cos x (radians).  dL/dx = -g sin x."""
    xp = namespace(x)
    return xp.cos(x), lambda g, needs: -g * xp.sin(x)


@op(integers="promote")
def maximum(a, b):
    """The larger of each pair.  Its gradient goes to the larger; equals share it, as in PyTorch."""
    xp = namespace(a, b)
    return xp.maximum(a, b), lambda g, needs: _split_ties(xp, g, a > b, a == b)


@op(integers="promote")
def minimum(a, b):
    """The smaller of each pair.  Its gradient goes to the smaller; equals share it."""
    xp = namespace(a, b)
    return xp.minimum(a, b), lambda g, needs: _split_ties(xp, g, a < b, a == b)


def _split_ties(xp: Any, g: Array, first: Array, tied: Array) -> tuple[Array, Array]:
    """The gradients of a pair, g to the chosen one, half of it to each of two equals."""
    half = where_arrays(tied, g * 0.5, xp.zeros_like(g))
    return where_arrays(first, g, half), where_arrays(first | tied, half, g)


@op
def clip(x, low=None, high=None):
    """min(max(x, low), high).  dL/dx = g inside and on the bounds, 0 outside.  low and high are numbers or None."""
    if low is None and high is None:
        raise ArgumentError("clip", "low or high", "neither")
    xp, y = namespace(x), promoted(x, low, high)

    def vjp(g, needs):
        inside = (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))
        return where_arrays(inside, g, xp.zeros_like(g))

    y = y if low is None else xp.maximum(y, low)  # not xp.clip: CuPy's does not know bfloat16
    return y if high is None else xp.minimum(y, high), vjp if is_float(x.dtype) else None


@op(integers="promote")
def where(condition: BoolArray, a, b):
    """a where the condition holds, b elsewhere.  Each gets the gradient of the entries it gave."""
    xp = namespace(condition, a, b)
    if float in (type(a), type(b)) and not (is_array(a) or is_array(b)):
        a = xp.asarray(a, np.float32)  # two numbers by themselves would be float64
    y = where_arrays(condition, a, b)

    def vjp(g, needs):
        zero = xp.zeros_like(g)
        return (
            None,
            where_arrays(condition, g, zero) if needs[1] else None,
            where_arrays(condition, zero, g) if needs[2] else None,
        )

    return y, vjp


@op
def masked_fill(x, mask: BoolArray, value=0):
    """x, but `value` where the mask is true.  dL/dx = g where the mask is false."""
    xp, target = namespace(x), promoted(x, value)
    mask = xp.asarray(mask, dtype=bool)
    y = where_arrays(mask, xp.asarray(value, dtype=target.dtype), target)
    return y, (lambda g, needs: (where_arrays(mask, xp.zeros_like(g), g), None)) if is_float(x.dtype) else None


@op(casts=True)
def astype(x, dtype=np.float32):
    """x in another element type; the gradient is cast back.  This is how bfloat16 meets float32 masters."""
    target = as_dtype(dtype)
    if target == np.float16:
        raise ArgumentError("dtype", "float32, float64 or bfloat16", str(target))
    if target == x.dtype:
        return x, lambda g, needs: g
    vjp = (lambda g, needs: cast(g, x.dtype)) if is_float(target) and is_float(x.dtype) else None
    return cast(x, target), vjp
