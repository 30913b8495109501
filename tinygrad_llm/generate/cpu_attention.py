"""Attention of one new token of each row to what a cache holds: the part of a CPU's decoding step that grows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SAFE = 1e-15, 1e15
"""Between which a sum of e^score lost nothing, in float32 too."""


class TokenAttention:
    """softmax(q K^T) V of a token, for one layer after the other and some rows of a cache; q has 1/sqrt(K) in it.

    Softmax subtracts no largest score: e^s / sum e^s is the same as long as no sum leaves the numbers that a float
    holds well. `safe` tells, after all layers; where it is false, they have to be computed again with `shifted` set.
    """

    def __init__(self, n_layer: int, rows: slice, n_head: int, dtype: np.dtype) -> None:
        self.rows, self.batch, self.n_head, self.dtype = rows, rows.stop - rows.start, n_head, dtype
        self.numbers = np.arange(self.batch)
        self.room, self.ones = np.empty(0, dtype), np.empty((0, 1), dtype)
        self.sums, self.shifted = np.ones((n_layer, self.batch * n_head, 1), dtype), False
        self.held: list[Any] = []
        self.views: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def begin(self, cache: Any) -> None:
        """Makes ready for the next token of a KVCache that has room for it."""
        held = [layer.keys for layer in cache.layers]
        if len(held) != len(self.held) or any(a is not b for a, b in zip(held, self.held)):
            parts = [(layer.keys[self.rows], layer.values[self.rows]) for layer in cache.layers]
            self.held, self.views = held, [(keys, keys.swapaxes(2, 3), values) for keys, values in parts]
        self.lengths = cache.lengths[self.rows]
        lengths = self.lengths.tolist()
        self.end = end = max(lengths) + 1
        self.uniform = min(lengths) + 1 == end
        count = self.batch * self.n_head
        if end > len(self.ones):
            self.room, self.ones = np.empty(2 * count * end, self.dtype), np.ones((2 * end, 1), self.dtype)
        self.flat = self.room[: count * end].reshape(count, end)  # without gaps; all layers use it in turn
        self.scores = self.flat.reshape(self.batch, self.n_head, 1, end)

    def __call__(self, number: int, q: np.ndarray, k: np.ndarray, v: np.ndarray, y: np.ndarray) -> None:
        """Remembers k and v (B, H, K) in layer `number`, and writes what q (B, H, 1, K) finds into y (B, H, 1, K)."""
        (keys, transposed, values), end = self.views[number], self.end
        scores, sums = self.scores, self.sums[number]
        if self.uniform:
            keys[:, :, end - 1], values[:, :, end - 1] = k, v
        else:
            keys[self.numbers, :, self.lengths], values[self.numbers, :, self.lengths] = k, v
        np.matmul(q, transposed[..., :end], scores)
        if not self.uniform:
            unread = np.arange(end) > self.lengths[:, None, None, None]
            np.copyto(scores, -math.inf, where=unread)
        if self.shifted:
            np.subtract(scores, np.maximum.reduce(scores, axis=3, keepdims=True), scores)
        np.exp(scores, scores)
        np.matmul(scores, values[:, :, :end], y)
        np.dot(self.flat, self.ones[:end], sums)  # quicker than their sum by `add.reduce`
        np.divide(y, sums.reshape(self.batch, self.n_head, 1, 1), y)

    def safe(self) -> bool:
        """Whether what was computed since `begin` may be used."""
        if self.shifted:
            return True
        sums = self.sums.reshape(-1)
        return bool(SAFE[0] < sums[sums.argmin()] and sums[sums.argmax()] < SAFE[1])  # False for NaN; quicker than min
