"""The same entries in another order or shape. The derivative moves each gradient back to where its entry came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.autograd.op import op
from tinygrad_llm.autograd.promotion import promoted
from tinygrad_llm.backend import Array, is_float, namespace
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.ops.reduce import normalized_axes


@op
def reshape(x, shape=()):
    """The entries in row-major order under another shape; one size may be -1.  dL/dx = g in the old shape."""
    old = x.shape
    return x.reshape(shape), lambda g, needs: g.reshape(old)


def flatten(x: Any, start: int = 0, end: int = -1) -> Tensor:
    """The axes start ... end, both included, as one; a number becomes an array of one."""
    if not x.ndim:
        return reshape(x, shape=(1,))
    first, last = (normalized_axes(axis, x.ndim)[0] for axis in (start, end))
    if first > last:
        raise ShapeError("flatten", "an end that is not before the start", (start, end))
    return reshape(x, shape=(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))


@op
def transpose(x, axes=None):
    """Axis i of the result is axis axes[i] of x; reversed where None.  dL/dx = g in the old order."""
    axes = tuple(range(x.ndim))[::-1] if axes is None else normalized_axes(axes, x.ndim)
    if len(axes) != x.ndim:
        raise ShapeError("axes", f"all {x.ndim} axes", axes)
    back = tuple(int(i) for i in np.argsort(axes))
    return x.transpose(axes), lambda g, needs: g.transpose(back)


@op
def swapaxes(x, a=-1, b=-2):
    """Axes a and b exchanged.  dL/dx = g with the same two exchanged back."""
    return x.swapaxes(a, b), lambda g, needs: g.swapaxes(a, b)


@op
def expand_dims(x, axis=0):
    """New axes of size 1 at `axis`.  dL/dx = g without them."""
    old = x.shape
    return namespace(x).expand_dims(x, axis), lambda g, needs: g.reshape(old)


@op
def squeeze(x, axis=None):
    """Axes of size 1 removed: those of `axis`, all where None.  dL/dx = g with them."""
    old = x.shape
    return x.squeeze(axis), lambda g, needs: g.reshape(old)


@op
def broadcast_to(x, shape=()):
    """x stretched to `shape`.  dL/dx = g summed over what was stretched."""
    return namespace(x).broadcast_to(x, shape), lambda g, needs: g


@op
def flip(x, axis=None):
    """The order along `axis` reversed.  dL/dx = g reversed."""
    xp = namespace(x)
    return xp.flip(x, axis), lambda g, needs: xp.flip(g, axis)


@op
def pad(x, widths=(), value=0):
    """(before, after) entries of `value` added along each axis.  dL/dx = the part of g inside.

    widths has one pair an axis: ((0, 0), (1, 0)) shifts a (B, T) array by one position.
    """
    if len(widths) != x.ndim or any(len(pair) != 2 or min(pair) < 0 for pair in widths):
        raise ArgumentError("widths", f"{x.ndim} pairs of numbers that are not negative", widths)
    inside = tuple(slice(before, before + size) for (before, _), size in zip(widths, x.shape))
    y = namespace(x).pad(promoted(x, value), widths, constant_values=value)
    return y, (lambda g, needs: g[inside]) if is_float(x.dtype) else None


def concat(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors one after the other along `axis`; all other axes must agree.  Each gets its part of g."""
    if not len(tensors):
        raise ArgumentError("concat", "at least one tensor", "none")
    return _concat(*tensors, axis=axis)


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """The tensors, all of one shape, along a new axis.  Each gets its slice of g."""
    if not len(tensors):
        raise ArgumentError("stack", "at least one tensor", "none")
    return _stack(*tensors, axis=axis)


def split(x: Any, sizes: Sequence[int], axis: int = -1) -> tuple[Tensor, ...]:
    """x cut along `axis` into parts of `sizes`, which must add up to the whole."""
    shape = x.shape
    (axis,) = normalized_axes(axis, len(shape))
    if sum(sizes) != shape[axis] or min(sizes, default=0) < 0:
        raise ShapeError("split", f"sizes that add up to {shape[axis]}", list(sizes))
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(_part(x, axis=axis, start=start, stop=start + size) for start, size in zip(starts, sizes))


@op(integers="promote")
def _concat(*tensors, axis=0):
    xp = namespace(*tensors)
    (along,) = normalized_axes(axis, tensors[0].ndim)
    ends = np.cumsum([t.shape[along] for t in tensors])[:-1]
    return xp.concatenate(tensors, along), lambda g, needs: tuple(xp.split(g, ends, along))


@op(integers="promote")
def _stack(*tensors, axis=0):
    xp = namespace(*tensors)
    return xp.stack(tensors, axis), lambda g, needs: tuple(xp.moveaxis(g, axis, 0))


@op
def _part(x, axis=0, start=0, stop=0):
    index = (slice(None),) * axis + (slice(start, stop),)
    shape = x.shape
    return x[index], lambda g, needs: scatter(g, shape, index)


def scatter(g: Array, shape: tuple[int, ...], index: Any) -> Array:
    """Zeros of `shape`, but g at `index`."""
    dx = namespace(g).zeros(shape, g.dtype)
    dx[index] = g
    return dx
