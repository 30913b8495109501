"""Reductions over axes. `axis` is None (all), one axis or several; `keepdims` leaves axes of size 1 behind."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, is_float, namespace, sum_over, where, widened
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError


def _several(axis: Any) -> bool:
    return hasattr(axis, "__iter__")


def normalized_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of axes counted from the front.

    Raises ShapeError for one that is not there, DtypeError for what is no whole number, nor several.
    """
    try:
        given = range(ndim) if axis is None else axis if _several(axis) else (axis,)
        axes = tuple(map(index, given))
    except TypeError as error:
        raise DtypeError("axis", "a whole number, several of them, or None", repr(axis)) from error
    for a in axes:
        if not -ndim <= a < ndim:
            raise ShapeError("axis", f"between {-ndim} and {ndim - 1}", a)
    axes = tuple(a % ndim for a in axes)
    if len(set(axes)) < len(axes):
        raise ShapeError("axis", "each axis once", axis)
    return axes


def _expand(g: Array, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Array:
    """g with the reduced axes restored, broadcast to `shape`."""
    xp = namespace(g)
    if not keepdims:
        g = xp.expand_dims(g, normalized_axes(axis, len(shape)))
    return xp.broadcast_to(g, shape)


def _count(x: Array, axis: Any) -> int:
    return math.prod(x.shape[a] for a in normalized_axes(axis, x.ndim))


def _not_empty(name: str, x: Array, axis: Any) -> None:
    if _count(x, axis) == 0:
        raise ShapeError(name, "at least one entry to choose from", f"shape {x.shape}")


@op
def sum(x, axis=None, keepdims=False):
    """The sum.  dL/dx = g for every term."""
    shape = x.shape  # the closure keeps the shape alive, not the array
    return sum_over(x, normalized_axes(axis, x.ndim), keepdims), lambda g, needs: _expand(g, shape, axis, keepdims)


@op(integers="float32")
def mean(x, axis=None, keepdims=False):
    """The sum over n terms divided by n.  dL/dx = g / n."""
    n, shape = _count(x, axis), x.shape
    _not_empty("mean", x, axis)
    y = sum_over(x, normalized_axes(axis, x.ndim), keepdims) / n
    return y, lambda g, needs: _expand(g / n, shape, axis, keepdims)


@op(integers="float32")
def var(x, axis=None, keepdims=False, correction=0):
    """sum (x - mean)^2 / (n - correction).  dL/dx = g 2 (x - mean) / (n - correction).

    correction=1 gives the unbiased estimate, PyTorch's default; 0 is what layer norm uses.
    """
    xp = namespace(x)
    axes, n = normalized_axes(axis, x.ndim), _count(x, axis) - correction
    if n <= 0:
        raise ArgumentError("correction", f"less than the {n + correction} entries that are averaged", correction)
    centred = x - sum_over(x, axes, keepdims=True) / _count(x, axis)
    y = sum_over(xp.square(centred), axes, keepdims) / n
    return y, lambda g, needs: _expand(g * (2 / n), x.shape, axis, keepdims) * centred


@op(integers="float32")
def std(x, axis=None, keepdims=False, correction=0):
    """The square root of `var`.  dL/dx = g (x - mean) / ((n - correction) std), 0 where std is 0, as in PyTorch."""
    xp = namespace(x)
    variance, vjp_of_variance = var.array(x, axis, True, correction)
    y = xp.sqrt(variance)

    def vjp(g, needs):
        g = g if keepdims else xp.expand_dims(g, normalized_axes(axis, x.ndim))
        return vjp_of_variance(where(y > 0, g, xp.zeros_like(g)) / (2 * where(y > 0, y, xp.ones_like(y))), needs)

    return (y if keepdims else y.squeeze(normalized_axes(axis, x.ndim))), vjp


@op
def prod(x, axis=None, keepdims=False):
    """The product; 1 of nothing.  dL/dx_i = g times the product of all others, also where entries are 0."""
    xp, dtype = namespace(x), x.dtype
    axes, x = normalized_axes(axis, x.ndim), widened(x)

    def vjp(g, needs):
        zero = x == 0
        factors = where(zero, xp.ones_like(x), x)
        product, zeros = factors.prod(axes, keepdims=True), zero.sum(axes, keepdims=True)
        # with one zero only its own derivative is left, with two none
        others = where((zeros == 0) | (zero & (zeros == 1)), product / factors, xp.zeros_like(x))
        return _expand(g, x.shape, axis, keepdims) * others.astype(dtype, copy=False)

    y = x.prod(axes, keepdims=keepdims)
    return y.astype(dtype, copy=False) if is_float(dtype) else y, vjp


def max(x, axis=None, keepdims=False):
    """The largest entry.  Over one axis the gradient goes to the first of equals; over all axes equals share it.

    That is PyTorch's rule for `max()` and `max(dim)`. `amax` always shares.
    """
    if axis is None or _several(axis):
        return amax(x, axis, keepdims)
    return _first_extreme(x, axis=axis, keepdims=keepdims)


def min(x, axis=None, keepdims=False):
    """The smallest entry; equals as for `max`."""
    if axis is None or _several(axis):
        return amin(x, axis, keepdims)
    return _first_extreme(x, axis=axis, keepdims=keepdims, smallest=True)


@op
def amax(x, axis=None, keepdims=False):
    """The largest entry over any axes; equals share the gradient evenly."""
    _not_empty("amax", x, axis)
    y = x.max(normalized_axes(axis, x.ndim), keepdims=keepdims)
    return y, lambda g, needs: _to_extremes(g, x, y, axis, keepdims)


@op
def amin(x, axis=None, keepdims=False):
    """The smallest entry over any axes; equals share the gradient evenly."""
    _not_empty("amin", x, axis)
    y = x.min(normalized_axes(axis, x.ndim), keepdims=keepdims)
    return y, lambda g, needs: _to_extremes(g, x, y, axis, keepdims)


def _to_extremes(g: Array, x: Array, y: Array, axis: Any, keepdims: bool) -> Array:
    tied = (x == _expand(y, x.shape, axis, keepdims)).astype(x.dtype)
    fraction = tied / tied.sum(normalized_axes(axis, x.ndim), keepdims=True)
    return _expand(g, x.shape, axis, keepdims) * fraction


@op
def _first_extreme(x, axis=0, keepdims=False, smallest=False):
    """The extreme along one axis; the first of equals has the gradient."""
    xp = namespace(x)
    _not_empty("min" if smallest else "max", x, axis)
    (axis,) = normalized_axes(axis, x.ndim)
    place = xp.expand_dims(x.argmin(axis) if smallest else x.argmax(axis), axis)
    y = xp.take_along_axis(x, place, axis)

    def vjp(g, needs):
        dx = xp.zeros_like(x)
        xp.put_along_axis(dx, place, g if keepdims else xp.expand_dims(g, axis), axis)
        return dx

    return y if keepdims else y.squeeze(axis), vjp


@op(integers="float32")
def logsumexp(x, axis=-1, keepdims=False):
    """ln sum_i e^(x_i), without overflow: ln sum e^(x_i - m) + m, m the largest.  dL/dx = g softmax(x)."""
    xp = namespace(x)
    axes = normalized_axes(axis, x.ndim)
    _not_empty("logsumexp", x, axis)
    top = x.max(axes, keepdims=True)
    top = where(xp.isfinite(top), top, xp.zeros_like(top))  # -inf - -inf is no number; -inf - 0 is right
    weights = xp.exp(x - top)
    total = weights.sum(axes, keepdims=True)
    y = xp.log(total) + top
    return (
        y if keepdims else y.squeeze(axes)
    ), lambda g, needs: _expand(g, x.shape, axis, keepdims) * (weights / total)


@op
def cumsum(x, axis=-1):
    """y_i = x_0 + ... + x_i.  dL/dx_i = g_i + g_(i+1) + ..., a running sum from the other end."""
    xp = namespace(x)
    (axis,) = normalized_axes(axis, x.ndim)

    def running(x):
        x = widened(x)  # neither library adds up in bfloat16 without losing every small term
        return xp.cumsum(x, axis, dtype=x.dtype if is_float(x.dtype) else None)  # integers are summed in int64

    return running(x), lambda g, needs: xp.flip(running(xp.flip(g, axis)), axis)
