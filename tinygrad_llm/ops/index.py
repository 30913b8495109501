"""Selecting entries by position. Where a position is selected twice, its gradients add up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.autograd import Tensor, product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.autograd.sink import WRITTEN, Place
from tinygrad_llm.backend import Array, HostArray, device_of, fused, namespace, positions, to_device_of
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError, TokenError
from tinygrad_llm.ops.compare import argsort
from tinygrad_llm.ops.reduce import normalized_axes
from tinygrad_llm.ops.shape import reshape, scatter

ONE_HOT_BELOW = 96
"""Up to about this many rows, a product with a one-hot matrix beats sorting; measured at 400 to 8,000 ids of width 128,
one thread (chapter 04). At 512 rows sorting is three times as fast."""


@op
def getitem(x, index=()):
    """x[index] with slices, integers, None, ..., boolean masks and integer arrays.  dL/dx = g at those places.

    Out-of-range positions raise ShapeError.
    """
    index = _arrays(index)
    shape, xp = x.shape, namespace(x)
    if xp is not np and _advanced(index):
        index = _on_device_of(index, x)

    def vjp(g, needs):
        return _add_at(xp.arange(math.prod(shape)).reshape(shape)[index], g, shape)

    return x[index], vjp if _advanced(index) else lambda g, needs: scatter(g, shape, index)


def _arrays(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_arrays(i) for i in index)
    index = index.data if isinstance(index, Tensor) else index
    return positions(index) if isinstance(index, list) else index


def _on_device_of(index: Any, x: Array) -> Any:
    """`index` on the device of x. Positions are checked while they are on the host: a GPU wraps them in silence."""
    on_host = [part for part in (index if isinstance(index, tuple) else (index,)) if isinstance(part, np.ndarray)]
    if on_host and device_of(x) != "cpu":
        np.broadcast_to(np.empty(()), x.shape)[_host_only(index)]  # NumPy raises IndexError for what is outside
    return tuple(to_device_of(i, x) for i in index) if isinstance(index, tuple) else to_device_of(index, x)


def _host_only(index: Any) -> Any:
    """`index` with whole axes in the place of what is on a GPU, which is not looked at."""
    if isinstance(index, tuple):
        return tuple(_host_only(i) for i in index)
    return slice(None) if hasattr(index, "dtype") and not isinstance(index, np.ndarray | np.generic) else index


def _advanced(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(hasattr(part, "dtype") for part in parts)


def _add_at(places: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """Sums g into the flat `places` of an array of `shape`. bincount adds in float64, with NumPy in order, so no bit is
    left to chance; a GPU adds in any order, and rounding to float32 hides almost all of that."""
    xp = namespace(g)
    weights = g.astype(np.float64) if xp is not np else g
    total = xp.bincount(places.reshape(-1), weights=weights.reshape(-1), minlength=math.prod(shape))
    return total.astype(g.dtype).reshape(shape)


@op
def gather(x, indices: HostArray, axis=-1):
    """y[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis`.  dL/dx adds up where an index repeats."""
    xp = namespace(x)
    (axis,) = normalized_axes(axis, x.ndim)
    if indices.dtype.kind not in "iu":
        raise DtypeError("indices", "integers", indices.dtype)
    if indices.ndim != x.ndim:
        raise ShapeError("indices", f"{x.ndim} axes, as many as x", indices.shape)

    shape, size = x.shape, x.shape[axis]
    if xp is not np and isinstance(indices, np.ndarray) and indices.size:
        if indices.min() < -size or indices.max() >= size:
            raise ShapeError("indices", f"between {-size} and {size - 1}", f"{indices.min()} to {indices.max()}")
    indices = to_device_of(indices, x)

    def vjp(g, needs):
        places = xp.take_along_axis(xp.arange(math.prod(shape)).reshape(shape), indices, axis)
        return _add_at(places, g, shape), None

    return xp.take_along_axis(x, indices, axis), vjp


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each entry along `axis` `repeats` times in a row, of the flattened array where None: (a, b) -> (a, a, b, b).

    NumPy's `repeat`, PyTorch's `repeat_interleave`; PyTorch's `repeat` is NumPy's `tile`. repeats is one number, or a
    sequence with one for each entry.  dL/dx = the sum of g over an entry's copies.
    """
    x = reshape(x, shape=(-1,)) if axis is None else x
    (axis,) = normalized_axes(0 if axis is None else axis, x.ndim)
    counts, size = np.asarray(repeats.numpy() if isinstance(repeats, Tensor) else repeats), x.shape[axis]
    if counts.dtype.kind not in "iu" or counts.shape not in ((), (size,)) or (counts < 0).any():
        raise ArgumentError("repeats", f"a number that is not negative, or {size} of them", repeats)
    if not counts.ndim:
        return _repeat(x, repeats=int(counts), axis=axis)
    return getitem(x, index=(slice(None),) * axis + (np.repeat(np.arange(size), counts),))


@op
def _repeat(x, repeats=1, axis=0):
    grouped = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    return namespace(x).repeat(x, repeats, axis), lambda g, needs: g.reshape(grouped).sum(axis + 1)


def sort(x: Any, axis: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
    """The entries in order along `axis`, and the positions where they were; see `argsort` for equals and NaN."""
    order = argsort(x, axis=axis, descending=descending)
    return gather(x, order, axis=axis), order


def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) entries along `axis`, in order, and their positions; of equals the first."""
    (axis,) = normalized_axes(axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ArgumentError("k", f"a number between 0 and {x.shape[axis]}, the size of axis {axis}", k)
    order = argsort(x, axis=axis, descending=largest)
    order = getitem(order, index=(slice(None),) * axis + (slice(0, k),))
    return gather(x, order, axis=axis), order


@op
def embedding(weight, ids: HostArray):
    """Row ids[...] of the table.  (V, D), (...) -> (..., D)

    dL/dweight[v] = the sum of g over all places where ids = v. An id outside [0, V) raises TokenError. Ids that are on
    a GPU already are not looked at, since that would wait for it: there an id outside makes a row of NaN.
    """
    if weight.ndim != 2:
        raise ShapeError("weight", "(V, D)", weight.shape)
    rows = weight.shape[0]
    if ids.dtype.kind not in "iu":
        raise DtypeError("ids", "integers", ids.dtype, "Token ids come from a tokenizer, or from .astype('int64').")
    kernels = fused(weight, weight)  # they read a float32 table
    if ids.size and (kernels is None or isinstance(ids, np.ndarray)):
        if int(ids.min()) < 0 or int(ids.max()) >= rows:
            bad = ids[(ids < 0) | (ids >= rows)].reshape(-1)[0]
            raise TokenError("token id", f"0 to {rows - 1}", int(bad), "Does the tokenizer belong to this model?")
    ids = to_device_of(ids, weight)

    def vjp(g, needs):
        return sum_rows_by_id(g.reshape(ids.size, weight.shape[1]), ids.reshape(-1), rows, needs[0]), None

    return kernels.embedding(weight, ids) if kernels is not None else weight[ids], vjp


def sum_rows_by_id(g_ND: Array, ids_N: Array, rows: int, need: Any) -> Any:
    """out[v] = sum of g[n] over all n with ids[n] = v, as a parent's gradient.  (N, D), (N,) -> (rows, D)

    Without a scatter, whose order of additions would be left to chance: a product with a one-hot matrix where the table
    is small, a sort and sums of runs where it is large.
    """
    xp = namespace(g_ND)
    if (kernels := fused(g_ND)) is not None:
        return _rows_on_gpu(kernels, g_ND, ids_N, rows, need)
    if rows <= ONE_HOT_BELOW or xp is not np:
        one_hot_NV = xp.zeros((len(ids_N), rows), g_ND.dtype)
        one_hot_NV[xp.arange(len(ids_N)), ids_N] = 1
        return product_gradient(need, one_hot_NV, g_ND, transpose_a=True)
    out = xp.zeros((rows, g_ND.shape[1]), g_ND.dtype)
    if not len(ids_N):
        return out
    order = xp.argsort(ids_N, kind="stable")
    ordered = ids_N[order]
    starts = xp.flatnonzero(xp.concatenate((xp.ones(1, bool), ordered[1:] != ordered[:-1])))
    out[ordered[starts]] = xp.add.reduceat(g_ND[order], starts, axis=0)
    return out


def _rows_on_gpu(kernels: Any, g_ND: Array, ids_N: Array, rows: int, need: Any) -> Any:
    """The kernel adds rows to what is there: to the parent's place, or to zeros."""
    if not isinstance(need, Place):
        out = namespace(g_ND).zeros((rows, g_ND.shape[1]), np.float32)
        kernels.add_rows_by_id(g_ND, ids_N, out)
        return out
    if need.fresh:
        need.array.fill(0)
        need.fresh = False
    kernels.add_rows_by_id(g_ND, ids_N, need.array)
    return WRITTEN


@op
def tril(x, k=0):
    """The entries on and below diagonal k of the last two axes, zero above.  dL/dx = the same part of g."""
    xp = namespace(x)
    _check_matrices("tril", x.shape)
    return xp.tril(x, k).astype(x.dtype, copy=False), lambda g, needs: xp.tril(g, k).astype(g.dtype, copy=False)


@op
def triu(x, k=0):
    """The entries on and above diagonal k of the last two axes, zero below.  dL/dx = the same part of g."""
    xp = namespace(x)
    _check_matrices("triu", x.shape)
    return xp.triu(x, k).astype(x.dtype, copy=False), lambda g, needs: xp.triu(g, k).astype(g.dtype, copy=False)


def _check_matrices(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise ShapeError(name, "at least two axes", shape)
