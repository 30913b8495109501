"""Cases of elementwise.cu: casts, sums, a bias, a factor."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import BLOCK, FEW_PLACES, GRID, PLACES, Builder


def casts(places=PLACES) -> Case:
    b = Builder()
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1 + 2**-8, 1 + 3 * 2**-8, 3.4e38, 1e-40], np.float32)
    for n, first, others in places:
        x = b.normal(n, "float32", first)
        x.array[: len(special)] = special[:n]
        x.array[-1:].view(np.uint32)[...] = 0x7FFFFFFF  # a NaN that rounding must not carry into another number
        half, back = b.array(n, "bfloat16", shift=others), b.array(n, shift=first)
        b.launch("to_bfloat16", GRID, BLOCK, x, half, np.int64(n))
        b.launch("to_float32", GRID, BLOCK, half, back, np.int64(n))
        b.expect(half, x.array.astype(DTYPES["bfloat16"]).astype(np.float64), rtol=0, atol=0)
        b.expect(back, x.array.astype(DTYPES["bfloat16"]).astype(np.float64), rtol=0, atol=0)
    return b.case()


def sums(dtype: str, places=PLACES) -> Case:
    b = Builder()
    for n, first, others in places:
        x, other, y = b.normal(n, dtype, first), b.normal(n, dtype, others), b.array(n, dtype, shift=first)
        b.launch(f"add_{dtype}", GRID, BLOCK, x, other, y, np.int64(n))
        b.expect(y, x.values + other.values)
        scaled, factor = b.normal(n, dtype, others), b.array(1, values=-0.37)
        b.expect(scaled, scaled.values * factor.values)
        b.launch(f"scale_{dtype}", GRID, BLOCK, scaled, factor, np.int64(n))
    return b.case()


def add_bias(dtype: str) -> Case:
    b = Builder()
    for rows, width, shift, bias_shift in ((1, 1, 0, 0), (7, 33, 0, 0), (70, 16, 0, 0), (9, 64, 1, 0), (9, 64, 0, 1)):
        y, bias = b.normal((rows, width), dtype, shift), b.normal(width, shift=bias_shift)
        b.expect(y, y.values + bias.values)
        b.launch(f"add_bias_{dtype}", GRID, BLOCK, y, bias, np.int64(rows), width)
    return b.case()


CASES = {
    **({"casts": casts} if "bfloat16" in DTYPES else {}),
    **{f"sums {dtype}": partial(sums, dtype) for dtype in DTYPES},
    **{f"add_bias {dtype}": partial(add_bias, dtype) for dtype in DTYPES},
}
TINY = {
    **({"casts, few": partial(casts, FEW_PLACES)} if "bfloat16" in DTYPES else {}),
    **{f"sums {dtype}, few": partial(sums, dtype, FEW_PLACES) for dtype in DTYPES},
    **{f"add_bias {dtype}, few": partial(add_bias, dtype) for dtype in DTYPES},
}
CASES |= TINY
