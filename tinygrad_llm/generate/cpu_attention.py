"""Attention of one new token of each row to what a cache holds: the part of a CPU's decoding step that grows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SAFE = 1e-15, 1e15
"""Between which a sum of e^score lost nothing, in float32 too."""


class TokenAttention:
    """softmax(q K^T) V of a token, for one layer after the other; q has 1/sqrt(K) in it already.

    Softmax subtracts no largest score: e^s / sum e^s is the same as long as no sum leaves the numbers that a float
    holds well. `safe` tells, after all layers; where it is false, they have to be computed again with `shifted` set.
    """

    def __init__(self, n_layer: int, batch: int, n_head: int, dtype: np.dtype) -> None:
        self.batch, self.n_head, self.dtype = batch, n_head, dtype
        self.room, self.ones = np.empty(0, dtype), np.empty((0, 1), dtype)
        self.sums, self.shifted = np.ones((n_layer, batch * n_head, 1), dtype), False

    def begin(self, cache: Any) -> None:
        """Makes ready for the next token of a KVCache."""
        self.cache, self.uniform = cache, cache.uniform()
        self.end = end = cache.longest + 1
        rows = self.batch * self.n_head
        if end > len(self.ones):
            self.room, self.ones = np.empty(2 * rows * end, self.dtype), np.ones((2 * end, 1), self.dtype)
        self.flat = self.room[: rows * end].reshape(rows, end)  # without gaps; all layers use it in turn
        self.scores = self.flat.reshape(self.batch, self.n_head, 1, end)

    def __call__(self, number: int, q: np.ndarray, k: np.ndarray, v: np.ndarray, y: np.ndarray) -> None:
        """Remembers k and v (B, H, K) in layer `number`, and writes what q (B, H, 1, K) finds into y (B, H, 1, K)."""
        keys, values = self._remember(number, k, v)
        scores, sums = self.scores, self.sums[number]
        np.matmul(q, keys.swapaxes(2, 3), scores)
        if not self.uniform:
            unread = np.arange(self.end) > self.cache.lengths[:, None, None, None]
            np.copyto(scores, -math.inf, where=unread)
        if self.shifted:
            np.subtract(scores, np.maximum.reduce(scores, axis=3, keepdims=True), scores)
        np.exp(scores, scores)
        np.matmul(scores, values, y)
        np.dot(self.flat, self.ones[: self.end], sums)  # quicker than their sum by `add.reduce`
        np.divide(y, sums.reshape(self.batch, self.n_head, 1, 1), y)

    def safe(self) -> bool:
        """Whether what was computed since `begin` may be used."""
        if self.shifted:
            return True
        sums = self.sums.reshape(-1)
        return bool(SAFE[0] < sums[sums.argmin()] and sums[sums.argmax()] < SAFE[1])  # False for NaN; quicker than min

    def _remember(self, number: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Writes the new keys and values (B, H, K) behind the cached; all of them, (B, H, S, K)."""
        layer, end = self.cache.layers[number], self.end
        keys, values = layer.keys, layer.values
        if keys is None or keys.shape[2] < end:
            keys, values = layer.room(k[:, :, None], v[:, :, None], end)
        if self.uniform:
            keys[:, :, end - 1], values[:, :, end - 1] = k, v
        else:
            rows = np.arange(self.batch)
            keys[rows, :, self.cache.lengths], values[rows, :, self.cache.lengths] = k, v
        return keys[:, :, :end], values[:, :, :end]
