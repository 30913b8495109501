"""Long sums that keep their digits: over rows, as in the gradient of a bias or of a norm's weight; over any axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array, widened
from tinygrad_llm.backend.fused import fused

ROWS_AT_ONCE = 1 << 14
"""A float32 sum of more rows loses digits, and stands still once a row is half a unit of its last place."""


def sum_rows(x_ND: Array, dtype: Any = None) -> Array:
    """The sum of the rows of x, in `dtype` (that of x where None).  (N, D) -> (D,)

    With NumPy as a product with ones, which BLAS does four times faster than `sum(0)`; the sums of parts are added in
    float64. bfloat16 is summed in float32.
    """
    dtype = x_ND.dtype if dtype is None else dtype
    if (kernels := fused(x_ND)) is not None:
        return kernels.sum_rows(x_ND).astype(dtype, copy=False)
    x_ND = widened(x_ND)
    if type(x_ND) is not np.ndarray:
        return x_ND.sum(0).astype(dtype, copy=False)
    if len(x_ND) <= ROWS_AT_ONCE:
        return (np.ones(len(x_ND), x_ND.dtype) @ x_ND).astype(dtype, copy=False)
    parts = (x_ND[i : i + ROWS_AT_ONCE] for i in range(0, len(x_ND), ROWS_AT_ONCE))
    total = np.zeros(x_ND.shape[1])
    for part in parts:
        total += np.ones(len(part), x_ND.dtype) @ part
    return total.astype(dtype)


def sum_over(x: Array, axes: tuple[int, ...], keepdims: bool = False) -> Array:
    """x.sum(axes, keepdims=keepdims), in float64 where NumPy would add many float32 numbers one after the other.

    It adds pairwise over all axes, and over a last one that is contiguous.
    """
    if type(x) is np.ndarray and x.dtype == np.float32 and x.size > ROWS_AT_ONCE:
        terms = math.prod(x.shape[a] for a in axes)
        if ROWS_AT_ONCE < terms < x.size:
            return x.sum(axes, keepdims=keepdims, dtype=np.float64).astype(x.dtype)
    return x.sum(axes, keepdims=keepdims)
