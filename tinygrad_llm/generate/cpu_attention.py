"""Attention of one new token of each row to what a cache holds: the part of a CPU's decoding step that grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

SAFE = 1e-15, 1e15
"""Between which a sum of e^score lost nothing, in float32 too."""
Span = tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]
"""What a window is at a token: the first position, scores flat and by head, ones to add them with, which are hidden."""


class TokenAttention:
    """softmax(q K^T) V of a token, for one layer after the other and some rows of a cache; q has 1/sqrt(K) in it.

    Softmax subtracts no largest score: e^s / sum e^s is the same as long as no sum leaves the numbers that a float
    holds well. `safe` tells, after all layers; where it is false, they have to be computed again with `shifted` set.

    windows  of each layer, None where it sees all.
    heads    H of queries, G of keys and values.
    halves   2 where a key comes as pairs that the cache has in two halves, see cpu_weights.py; else 1.
    """

    def __init__(
        self, windows: Sequence[int | None], rows: slice, heads: tuple[int, int], dtype: np.dtype, *, halves: int = 1
    ) -> None:
        self.rows, self.batch, (self.n_head, self.groups), self.dtype = rows, rows.stop - rows.start, heads, dtype
        self.windows, self.halves, self.numbers = list(dict.fromkeys(windows)), halves, np.arange(self.batch)
        self.room, self.ones = np.empty(0, dtype), np.empty((0, 1), dtype)
        self.sums, self.shifted = np.ones((len(windows), self.batch * self.n_head, 1), dtype), False
        self.totals = [(sums, sums.reshape(self.batch, self.groups, -1, 1)) for sums in self.sums]
        self.held: list[Any] = []
        self.views: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def begin(self, cache: Any, used_B: np.ndarray) -> None:
        """Makes ready for the next token of a KVCache that has room for it behind each row's `used_B` positions."""
        held = [layer.keys for layer in cache.layers]
        if len(held) != len(self.held) or any(a is not b for a, b in zip(held, self.held)):
            parts = [(layer.keys[self.rows], layer.values[self.rows]) for layer in cache.layers]
            self.held, self.views = held, [(self._in_halves(k), k.swapaxes(2, 3), v) for k, v in parts]
        self.slots = used_B[self.rows]
        slots = self.slots.tolist()
        self.end = end = max(slots) + 1
        shortest = min(slots) + 1
        self.uniform = shortest == end
        if end > len(self.ones):
            self.room = np.empty(2 * self.batch * self.n_head * end, self.dtype)
            self.ones = np.ones((2 * end, 1), self.dtype)
        self.spans = {window: self._span(window, shortest) for window in self.windows}

    def __call__(
        self, number: int, window: int | None, q: np.ndarray, k: np.ndarray, v: np.ndarray, y: np.ndarray
    ) -> None:
        """Remembers k (B, G, 1 or 2, .) and v (B, G, K) in layer `number`, and writes what the queries q (B, G, H/G, K)
        find there into y (B, G, H/G, K)."""
        (keys, transposed, values), end = self.views[number], self.end
        (first, flat, scores, ones, hidden), (sums, totals) = self.spans[window], self.totals[number]
        if self.uniform:
            keys[:, :, end - 1], values[:, :, end - 1] = k, v
        else:
            keys[self.numbers, :, self.slots], values[self.numbers, :, self.slots] = k, v
        np.matmul(q, transposed[..., first:end], scores)
        if hidden is not None:
            np.copyto(scores, -math.inf, where=hidden)
        if self.shifted:
            np.subtract(scores, np.maximum.reduce(scores, axis=3, keepdims=True), scores)
        np.exp(scores, scores)
        np.matmul(scores, values[:, :, first:end], y)
        np.dot(flat, ones, sums)  # quicker than their sum by `add.reduce`
        np.divide(y, totals, y)

    def safe(self) -> bool:
        """Whether what was computed since `begin` may be used."""
        if self.shifted:
            return True
        sums = self.sums.reshape(-1)
        return bool(SAFE[0] < sums[sums.argmin()] and sums[sums.argmax()] < SAFE[1])  # False for NaN; quicker than min

    def _span(self, window: int | None, shortest: int) -> Span:
        """What a window is, where the shortest row has so many positions, the new one among them."""
        first = 0 if window is None else max(0, shortest - window)
        size = self.end - first
        flat = self.room[: self.batch * self.n_head * size].reshape(-1, size)  # without gaps; layers use it in turn
        scores = flat.reshape(self.batch, self.groups, -1, size)
        if self.uniform:
            return first, flat, scores, self.ones[:size], None
        places, slots = np.arange(first, self.end), self.slots[:, None, None, None]
        hidden = places > slots
        if window is not None:
            hidden |= places <= slots - window
        return first, flat, scores, self.ones[:size], hidden

    def _in_halves(self, keys: np.ndarray) -> np.ndarray:
        """(B, G, S, K) -> (B, G, S, halves, K / halves), the same memory."""
        return keys.reshape(*keys.shape[:3], self.halves, -1)
