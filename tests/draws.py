"""A generator for tests of dropout: it keeps everything, and remembers what was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np


class Draws:
    """Draws just below 1, but 0 in the draw number `dropped`: that one drops all. shapes has the shape of each draw."""

    def __init__(self, dropped: int = -1) -> None:
        self.dropped = dropped
        self.shapes: list[tuple[int, ...]] = []

    def random(self, size: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        self.shapes.append(tuple(size))
        return np.full(size, 0.0 if len(self.shapes) - 1 == self.dropped else 0.999, dtype)


def each_draw_counts(call: Any, expected: list[tuple[int, ...]]) -> None:
    """call(rng) draws these shapes, in this order, and what it gives depends on each draw."""
    kept = Draws()
    whole = call(kept)
    assert kept.shapes == expected
    for number in range(len(expected)):
        assert np.abs(call(Draws(number)) - whole).max() > 1e-6, f"draw {number}, {expected[number]}, is not used"
