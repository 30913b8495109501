"""Arrays that lie one behind the other in memory, seen as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_llm.backend.arrays import Array, namespace


def adjacent(arrays: Sequence[Array]) -> Array | None:
    """The arrays joined along their first axis, as a view; None where they are not neighbours in one memory.

    An optimizer lays all parameters into one flat array in the order of the model: matrices that are declared one
    after the other are then one matrix, and one product serves them all.
    """
    first = arrays[0]
    base = first.base
    if type(base) is not type(first) or not base.flags.c_contiguous:
        return None
    start = end = _address(first)
    for a in arrays:
        if a.base is not base or _address(a) != end or not a.flags.c_contiguous or a.dtype != base.dtype:
            return None
        if a.shape[1:] != first.shape[1:]:
            return None
        end += a.nbytes
    begin = (start - _address(base)) // base.itemsize
    rows = sum(len(a) for a in arrays)
    count = rows * math.prod(first.shape[1:])
    return base.reshape(-1)[begin : begin + count].reshape(rows, *first.shape[1:])


def joined(arrays: Sequence[Array]) -> Array:
    """The arrays joined along their first axis: a view where they are neighbours, else a copy."""
    if len(arrays) == 1:
        return arrays[0]
    view = adjacent(arrays)
    return namespace(arrays[0]).concatenate(list(arrays)) if view is None else view


def equally_spaced(arrays: Sequence[Array]) -> Array | None:
    """The arrays, all of one shape, along a new first axis, as a view; None where they do not lie at equal distances in
    one memory, in their order.

    Of layers that are made alike, one after the other, the flat array of an optimizer holds like parts at equal
    distances.
    """
    first = arrays[0]
    base, size = first.base, first.size
    if type(base) is not type(first) or not base.flags.c_contiguous or not size:
        return None
    begin, count = _address(first), len(arrays)
    distance = _address(arrays[1]) - begin if count > 1 else first.nbytes
    if distance < first.nbytes or distance % base.itemsize:
        return None
    for i, a in enumerate(arrays):
        if a.base is not base or _address(a) != begin + i * distance or not a.flags.c_contiguous:
            return None
        if a.shape != first.shape or a.dtype != base.dtype:
            return None
    start, step = (begin - _address(base)) // base.itemsize, distance // base.itemsize
    lead = max(0, start + count * step - base.size)  # behind the last there may be less than a step: then before all
    rows = base.reshape(-1)[start - lead : start - lead + count * step].reshape(count, step)
    return rows[:, lead : lead + size].reshape(count, *first.shape)


def stacked(arrays: Sequence[Array]) -> Array:
    """The arrays along a new first axis: a view where they lie at equal distances, else a copy."""
    view = equally_spaced(arrays)
    return namespace(arrays[0]).stack(list(arrays)) if view is None else view


def _address(a: Array) -> int:
    return a.ctypes.data if isinstance(a, np.ndarray) else a.data.ptr
