"""Cases of dropout.cu. What the drawn numbers are is tested in backend/test_philox.py."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import BLOCK, GRID, Builder

SHAPES = [(1, 1, 0, 0.5), (3, 40, 0, 0.1), (2, 64, 1, 0.9), (5, 7, 0, 0.3)]
"""examples, entries of each, by how many x is shifted, and p."""


def dropout(dtype: str, shapes=SHAPES) -> Case:
    """The mask is what the drawn numbers say: 1/(1-p) where u >= p."""
    b = Builder()
    for examples, per_example, shift, p in shapes:
        n, seeds = examples * per_example, b.array(2, "uint64", [0x123456789ABCDEF0, 77])
        x, y = b.normal((examples, per_example), dtype, shift), b.array((examples, per_example), dtype)
        in_place = b.array(x.array.shape, dtype, x.values)
        u = b.array((examples, per_example))
        place = np.int64(n), np.int64(per_example)
        b.launch("uniform", GRID, BLOCK, u, *place, seeds, 4, 11)
        b.launch(f"dropout_{dtype}", GRID, BLOCK, x, y, *place, p, seeds, 4, 11)
        b.launch(f"dropout_{dtype}", GRID, BLOCK, in_place, in_place, *place, p, seeds, 4, 11)
        for out in (y, in_place):
            b.expect(out, partial(masked, x, u, p))
    return b.case()


def masked(x, u, p):
    return x.values * (u.array >= np.float32(p)) / (1 - p)


CASES = {f"dropout {dtype}": partial(dropout, dtype) for dtype in DTYPES}
TINY = {f"dropout {dtype}, few": partial(dropout, dtype, [SHAPES[1], SHAPES[-1]]) for dtype in DTYPES}
CASES |= TINY
