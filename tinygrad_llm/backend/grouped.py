"""Products of rows with the matrix of their group, the rows sorted by group: what a mixture of experts multiplies.

With kernels (float32 and bfloat16 on a GPU) nobody waits: where a group begins is known to the GPU alone. Everything
else takes group after group, and asks for the places first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tinygrad_llm.backend.arrays import Array, namespace
from tinygrad_llm.backend.device import to_device
from tinygrad_llm.backend.fused import fused
from tinygrad_llm.backend.gemm import gemm
from tinygrad_llm.backend.launch import launch

TILE, THREADS = {"f": 64, "E": 128}, {"f": 256, "E": 128}
"""Rows and columns of a block, and its threads, by the type's code: as kernels/grouped.cu has them."""
THREADS_OF_STARTS = 64


def sort_by_group(groups_M: Array, count: int, like: Array) -> tuple[Array, Array]:
    """The stable order that puts whole numbers from 0 to count - 1 side by side, (M,), and where each begins in it.

    -> order (M,), starts (count + 1,), the last of which is M. `like` is the array whose rows will be sorted.
    """
    xp = namespace(groups_M)
    if (kernels := fused(like)) is None:
        return xp.argsort(groups_M, kind="stable"), (groups_M[:, None] < xp.arange(count + 1)).sum(0)
    ids = xp.ascontiguousarray(groups_M.astype(np.int64, copy=False))
    order, starts = kernels.order_of(ids), xp.empty(count + 1, np.int32)
    arguments = ids, order, starts, np.int32(len(ids)), np.int32(count)
    launch("grouped", "group_starts", math.ceil((count + 1) / THREADS_OF_STARTS), THREADS_OF_STARTS, arguments)
    return order, starts


def grouped_product(x_MJ: Array, starts: Array, weights: Array, transpose: bool) -> Array:
    """y[m] = W x[m] for the matrix W of the group of m, or W^T x[m] where not `transpose`, as `gemm` has x W^T and x W.

    weights  (E, O, I), each matrix in one piece of memory.  (M, I) -> (M, O), or (M, O) -> (M, I)
    """
    xp, (count, outputs, inputs) = namespace(x_MJ), weights.shape
    y = xp.empty((len(x_MJ), outputs if transpose else inputs), x_MJ.dtype)
    if fused(x_MJ) is None:
        for group, own in _groups(starts):
            gemm(x_MJ[own], weights[group], transpose_b=transpose, out=y[own])
        return y
    tile, name = TILE[x_MJ.dtype.char], "grouped_forward" if transpose else "grouped_inputs"
    if y.size:
        starts = starts.astype(np.int32, copy=False)
        grid = math.ceil(y.shape[1] / tile), len(x_MJ) // tile + count
        sizes = np.int32(count), np.int32(inputs), np.int32(outputs)
        arguments = xp.ascontiguousarray(x_MJ), weights, _apart(weights), starts, y, *sizes
        launch("grouped", f"{name}_{x_MJ.dtype.name}", grid, THREADS[x_MJ.dtype.char], arguments)
    return y


def grouped_outer(g_MO: Array, x_MI: Array, starts: Array, out: Array, accumulate: bool) -> Array:
    """out[e] = the sum of g[m] x[m]^T over the rows of group e, or added to it.  (M, O), (M, I) -> out (E, O, I)"""
    xp, (count, outputs, inputs) = namespace(g_MO), out.shape
    if fused(g_MO) is None:
        for group, own in _groups(starts):
            if own.stop > own.start:
                gemm(g_MO[own], x_MI[own], transpose_a=True, out=out[group], accumulate=accumulate)
            elif not accumulate:
                out[group] = 0
        return out
    if out.dtype != np.float32:  # what the kernel adds up in
        fine = out.astype(np.float32) if accumulate else xp.empty(out.shape, np.float32)
        out[...] = grouped_outer(g_MO, x_MI, starts, fine, accumulate)
        return out
    tile, starts = TILE[g_MO.dtype.char], starts.astype(np.int32, copy=False)
    grid = math.ceil(inputs / tile), math.ceil(outputs / tile), count
    sizes = np.int32(inputs), np.int32(outputs), np.int32(accumulate)
    arguments = xp.ascontiguousarray(g_MO), xp.ascontiguousarray(x_MI), starts, out, _apart(out), *sizes
    launch("grouped", f"grouped_weights_{g_MO.dtype.name}", grid, THREADS[g_MO.dtype.char], arguments)
    return out


def _groups(starts: Array) -> Iterator[tuple[int, slice]]:
    """Each group and its rows, on the host."""
    places = to_device(starts, "cpu").tolist()
    return ((group, slice(*ends)) for group, ends in enumerate(zip(places, places[1:])))


def _apart(matrices: Array) -> np.int64:
    """How many elements lie from the beginning of one matrix to that of the next."""
    return np.int64(matrices.strides[0] // matrices.itemsize)
