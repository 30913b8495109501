"""Cases of embedding.cu: the table, the sort of its ids, and the sums over equal ids."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import BLOCK, GRID, Builder


def look_up(out_dtype: str) -> Case:
    kernel = "embedding_forward" if out_dtype == "float32" else f"embedding_forward_to_{out_dtype}"
    b = Builder()
    for n, width, rows, shift in ((1, 1, 1, 0), (40, 5, 9, 0), (30, 16, 7, 0), (30, 16, 7, 1)):
        weight, y = b.normal((rows, width), shift=shift), b.array((n, width), out_dtype)
        ids = b.array(n, "int64", b.rng.integers(0, rows, n))
        expected = weight.values[ids.array]
        for place, outside in zip(range(3, n), (rows, -1, 2**32)):  # 2^32 must not be taken for 0
            ids.array[place], expected[place] = outside, np.nan
        b.launch(kernel, GRID, BLOCK, weight, ids, y, n, width, rows)
        b.expect(y, expected)
    return b.case()


SORTED = [(1, 32, 1, 3), (33, 64, 2, 5), (100, 96, 1, 3), (1300, 64, 3, 40), (2100, 1024, 66, 9)]
"""ids, threads, blocks, rows of the table: more ids than a block takes at once, and than are in shared memory at once."""
SUMMED = [
    (1, 1, 1, 32, 1),
    (60, 133, 7, 64, (3, 1)),  # runs longer than a block's places; blocks that take several, and all columns
    (70, 16, 500, 64, (9, 1)),  # almost every id once
    (64, 130, 1, 32, (8, 2)),  # one run of twice as many places as threads; columns in two parts
    (300, 5, 2, 96, (38, 1)),
]
"""ids, columns, rows of the table, threads, blocks."""


def order(sizes=SORTED) -> Case:
    """A stable sort. What does not fit into 31 bits comes first or last, in the order it came in."""
    b = Builder()
    for n, block, grid, rows in sizes:
        ids, places = b.array(n, "int64", b.rng.integers(0, rows, n)), b.array(n, "int32")
        if n > 5:
            ids.array[3:6] = -5, 2**35, -7
        b.launch("embedding_order", grid, block, ids, places, n)
        b.expect(places, np.argsort(np.clip(ids.array, -1, 2**31 - 1), kind="stable"))
    return b.case()


def backward(dtype: str, sizes=SUMMED) -> Case:
    """Added to what is there already; ids outside of the table are left out."""
    b = Builder()
    for n, width, rows, block, grid in sizes:
        ids = b.array(n, "int64", b.rng.integers(0, rows, n))
        if n > 5 and rows > 1:
            ids.array[3:6] = -5, rows, 2**32
        g, dweight = b.normal((n, width), dtype), b.normal((rows, width))
        order = b.array(n, "int32", np.argsort(np.clip(ids.array, -1, 2**31 - 1), kind="stable"))
        expected, inside = dweight.values, (ids.array >= 0) & (ids.array < rows)
        np.add.at(expected, ids.array[inside], g.values[inside])
        b.launch(f"embedding_backward_{dtype}", grid, block, g, ids, order, dweight, n, width, rows)
        b.expect(dweight, expected, rtol=1e-5, atol=1e-5)  # float32 sums of up to 150 rows
    return b.case()


CASES = {
    **{f"look up {dtype}": partial(look_up, dtype) for dtype in DTYPES},
    "order": order,
    **{f"backward {dtype}": partial(backward, dtype) for dtype in DTYPES},
}
TINY = {
    **{f"look up {dtype}, few": partial(look_up, dtype) for dtype in DTYPES},
    "order, few": partial(order, [(1030, 64, 5, 9)]),
    **{
        f"backward {dtype}, few": partial(backward, dtype, [(40, 33, 3, 64, (3, 1)), (200, 33, 2, 64, (3, 1))])
        for dtype in DTYPES
    },
}
CASES |= TINY
