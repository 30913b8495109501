"""Cases of grouped.cu: where groups begin, and the three products of rows with their group's matrix."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case
from kernel_cases.builder import Builder

TILE, THREADS = {"float32": 64, "bfloat16": 128}, {"float32": 256, "bfloat16": 128}
SHAPES = {
    "float32": [((70, 0, 1, 64), 19, 67, 0, 0), ((5,), 40, 8, 0, 1), ((0, 130), 16, 3, 8, 0)],
    "bfloat16": [((130, 0, 1, 128), 72, 136, 0, 0), ((5, 3), 40, 7, 0, 1), ((0, 3, 0), 33, 130, 8, 1)],
}
"""Rows of each group, I, O, what lies between the matrices, and by how many elements arrays are shifted: more rows,
columns and depth than a tile has, groups without a row, sizes at which pieces of 16 bytes fit and at which not."""
FEW = {"float32": [((65, 0, 1), 17, 5, 0, 1)], "bfloat16": [((3, 0, 1), 40, 9, 8, 1), ((3, 1), 104, 8, 0, 0)]}
"""The tiny ones; a depth of several tiles, so that places are used again."""


def starts(groups) -> Case:
    b = Builder()
    for counts in groups:
        ids = b.rng.permutation(np.repeat(np.arange(len(counts)), counts))
        given, places = b.array(len(ids), "int64", ids), b.array(len(counts) + 1, "int32")
        order = b.array(len(ids), "int32", np.argsort(ids, kind="stable"))
        b.launch("group_starts", 2, 32, given, order, places, len(ids), len(counts))
        b.expect(places, np.cumsum([0, *counts]))
    return b.case()


class Problem:
    """Arrays of one call; what lies between matrices is a frame too: nobody may write there."""

    def __init__(self, b: Builder, dtype: str, counts, inputs: int, outputs: int, gap: int, shift: int) -> None:
        self.b, self.dtype, self.counts, self.size, self.shift = b, dtype, counts, (inputs, outputs), shift
        self.rows, self.apart = sum(counts), inputs * outputs + gap
        self.ends = np.cumsum([0, *counts])
        self.starts = b.array(len(counts) + 1, "int32", self.ends)
        self.x, self.g = (b.normal((self.rows, n), dtype, shift) for n in self.size)
        self.w = b.normal((len(counts), self.apart), dtype, shift)

    def of_groups(self, rows):
        """rows(e, slice) of every group, one below the other."""
        return np.concatenate([rows(e, slice(*self.ends[e : e + 2])) for e in range(len(self.counts))])

    def matrix(self, e: int) -> np.ndarray:
        inputs, outputs = self.size
        return self.w.values[e, : inputs * outputs].reshape(outputs, inputs)

    def tiles(self, n: int) -> int:
        return -(-n // TILE[self.dtype])

    def launch(self, kernel: str, grid, *args) -> None:
        self.b.launch(f"{kernel}_{self.dtype}", grid, THREADS[self.dtype], *args)

    def rows_grid(self, columns: int) -> tuple[int, int]:
        return self.tiles(columns), self.rows // TILE[self.dtype] + len(self.counts)


def near(dtype: str, depth: int) -> dict[str, float]:
    """Sums of up to `depth` products of standard normal numbers; a bfloat16 result is rounded once."""
    return {"rtol": 2e-6 if dtype == "float32" else 2**-8, "atol": 2e-6 * depth**0.5}


def rows(dtype: str, shapes) -> Case:
    b = Builder()
    for shape in shapes:
        p = Problem(b, dtype, *shape)
        inputs, outputs = p.size
        y, dx = (b.array((p.rows, n), dtype, shift=p.shift) for n in (outputs, inputs))
        common = p.w, np.int64(p.apart), p.starts
        p.launch("grouped_forward", p.rows_grid(outputs), p.x, *common, y, len(p.counts), inputs, outputs)
        p.launch("grouped_inputs", p.rows_grid(inputs), p.g, *common, dx, len(p.counts), inputs, outputs)
        b.expect(y, p.of_groups(lambda e, own, p=p: p.x.values[own] @ p.matrix(e).T), **near(dtype, inputs))
        b.expect(dx, p.of_groups(lambda e, own, p=p: p.g.values[own] @ p.matrix(e)), **near(dtype, outputs))
    return b.case()


def weights(dtype: str, shapes) -> Case:
    b = Builder()
    for shape in shapes:
        p = Problem(b, dtype, *shape)
        inputs, outputs = p.size
        grid = p.tiles(inputs), p.tiles(outputs), len(p.counts)
        for accumulate in (0, 1):
            dw = b.normal((len(p.counts), p.apart))
            expected = dw.values
            for e in range(len(p.counts)):
                own = slice(*p.ends[e : e + 2])
                found = (p.g.values[own].T @ p.x.values[own]).reshape(-1)
                expected[e, : found.size] = accumulate * expected[e, : found.size] + found
            args = p.g, p.x, p.starts, dw, np.int64(p.apart), inputs, outputs, accumulate
            p.launch("grouped_weights", grid, *args)
            b.expect(dw, expected, **near("float32", max(p.counts)))
    return b.case()


CASES = {"starts": partial(starts, ((3, 0, 5, 1), (0, 0), (1,), (0, 70, 0)))}
for dtype in DTYPES:
    CASES |= {
        f"rows {dtype}": partial(rows, dtype, SHAPES[dtype]),
        f"weights {dtype}": partial(weights, dtype, SHAPES[dtype]),
    }
TINY = {"starts, few": partial(starts, ((3, 0, 2), (1,)))}
for dtype in DTYPES:
    TINY |= {
        f"rows {dtype}, few": partial(rows, dtype, FEW[dtype]),
        f"weights {dtype}, few": partial(weights, dtype, FEW[dtype]),
    }
CASES |= TINY
