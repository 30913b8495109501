"""Cases of rope.cu."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import BLOCK, GRID, Builder
from tinygrad_llm.ops import rope as rope_op
from tinygrad_llm.ops.rope import rope_table

SHAPES = [(1, 1, 2, 0, 0), (3, 5, 6, 0, 0), (4, 9, 32, 0, 0), (2, 3, 32, 1, 0), (2, 3, 32, 0, 1), (1, 4, 48, 0, 0)]
"""outer, time, head size, and by how many elements x and y are shifted."""


def rope(dtype: str, shapes=SHAPES) -> Case:
    b = Builder()
    for outer, time, size, shift, y_shift in shapes:
        tables = rope_table(np.arange(time), size)
        cos, sin = (b.array((time, size // 2), values=table) for table in tables)
        x, y = b.normal((outer, time, size), dtype, shift), b.array((outer, time, size), dtype, shift=y_shift)
        g, dx = b.normal((outer, time, size), dtype, shift), b.array((outer, time, size), dtype, shift=y_shift)
        in_place = b.array(x.array.shape, dtype, x.values)
        sizes = np.int64(outer), time, size
        b.launch(f"rope_{dtype}", GRID, BLOCK, x, cos, sin, y, *sizes, 1.0)
        b.launch(f"rope_{dtype}", GRID, BLOCK, in_place, cos, sin, in_place, *sizes, 1.0)
        b.launch(f"rope_{dtype}", GRID, BLOCK, g, cos, sin, dx, *sizes, -1.0)
        value, vjp = rope_op.array(x.values, *tables)
        b.expect(y, value)
        b.expect(in_place, value)
        b.expect(dx, vjp(g.values, [True]))
    return b.case()


CASES = {f"rope {dtype}": partial(rope, dtype) for dtype in DTYPES}
TINY = {f"rope {dtype}, few": partial(rope, dtype, [SHAPES[1], SHAPES[-1]]) for dtype in DTYPES}
CASES |= TINY
