"""One decoding step on the CPU as a list of NumPy calls, made once: the fast twin of `model.next_logits` for one token.

A single token through a small model is so little arithmetic that what surrounds it costs more: new arrays, checks, the
call itself. Here every array exists before the first token, every call is bound to its arrays, and the weights are
folded (see cpu_weights.py). A large batch is divided between threads, rows by rows.

Nothing here refers back to the step, so that its memory is free as soon as nobody has it. What the collector of cycles
frees some time later would be asked of the system anew for every text, page by page.

A test holds it equal to the model's own forward pass, which runs wherever a model has parts that are not known here, or
so many weights that the calls no longer count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.backend import threads_here, together
from tinygrad_llm.generate.cpu_attention import TokenAttention
from tinygrad_llm.generate.cpu_known import can_be_folded
from tinygrad_llm.generate.cpu_mlp import Calls, TokenExperts, activation
from tinygrad_llm.generate.cpu_weights import Folded, FoldedBlock, FoldedDecoder, HeadNorms

ROWS_A_THREAD, WORK_A_THREAD = 32, 1 << 24
"""Rows, and multiplications by weights, fewer of which are not worth a thread of their own: each reads all weights."""


def cpu_step(model: Any, batch: int) -> CpuStep | None:
    """The step for this model and batch size; None where the model is large, on a GPU, or has other parts."""
    return CpuStep(FoldedDecoder(model, batch), batch) if can_be_folded(model) else None


class CpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token."""

    def __init__(self, weights: FoldedDecoder, batch: int) -> None:
        self.weights, size = weights, weights.head_size
        count = max(1, min(threads_here(), batch // ROWS_A_THREAD, batch * weights.work // WORK_A_THREAD))
        self.logits = np.empty((batch, len(weights.tokens)), weights.dtype)
        self.turn = None if weights.turns is None else np.empty((batch, 1, size // 2), weights.turns.dtype)
        cuts = [batch * i // count for i in range(count + 1)]
        self.parts = [_Rows(weights, slice(*cut), self.logits, self.turn) for cut in zip(cuts, cuts[1:])]
        self.pool = ThreadPoolExecutor(count - 1) if count > 1 else None
        self.one_key = np.empty((batch, weights.n_kv_head, 1, size), weights.dtype)

    def resized(self, batch: int) -> CpuStep:
        """The step for so many rows, with the same weights."""
        return self if batch == len(self.logits) else CpuStep(self.weights, batch)

    def first(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """The same for ids that nobody has drawn.  Raises TokenError for one outside the vocabulary."""
        self.weights.embedding(ids_B)
        return self(ids_B, cache)

    def __call__(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """Reads one more token of each row; the cache is the model's KVCache."""
        # what is done here is for all rows: their threads share it
        used = cache.lengths if cache.window is None else cache.used()
        end = max(used.tolist()) + 1
        for layer in cache.layers:
            if layer.keys is None or layer.keys.shape[2] < end:
                layer.room(self.one_key, self.one_key, end)
        if self.weights.turns is not None and self.turn is not None:
            self.weights.turns.put(cache.lengths, cache.longest + 1, self.turn)
        together(self.pool, lambda part: self.parts[part](ids_B, cache, used), len(self.parts))
        cache.advance(1)
        return self.logits


class _Rows:
    """The calls for some of the rows: writes their logits where they belong."""

    def __init__(self, weights: FoldedDecoder, rows: slice, logits: np.ndarray, turn: np.ndarray | None) -> None:
        self.weights, self.rows, self.batch, self.dtype = weights, rows, rows.stop - rows.start, weights.dtype
        self.turn = None if turn is None else turn[rows]
        self.calls: Calls = []
        windows, halves = [block.window for block in weights.blocks], 1 if turn is None else 2
        heads = weights.n_head, weights.n_kv_head
        self.attention = TokenAttention(windows, rows, heads, self.dtype, halves=halves)
        self.x = x = self._new(weights.tokens.shape[1])
        for number, block in enumerate(weights.blocks):
            self._call(np.add, x, self._linear(self._attend(self._linear(x, block.qkv), block, number), block.o), x)
            self._call(np.add, x, self._mlp(x, block), x)
        self._linear(x, weights.head, logits[rows])

    def __call__(self, ids_B: np.ndarray, cache: Any, used_B: np.ndarray) -> None:
        self.attention.begin(cache, used_B)
        ids_B, lengths_B = ids_B[self.rows], cache.lengths[self.rows]
        self._read(ids_B, lengths_B)
        if not self.attention.safe():
            self.attention.shifted = True
            self._read(ids_B, lengths_B)

    def _read(self, ids_B: np.ndarray, lengths_B: np.ndarray) -> None:
        self.weights.tokens.take(ids_B, 0, out=self.x, mode="clip")  # ids were drawn from the vocabulary
        if self.weights.places is not None:
            self.x += self.weights.places[lengths_B]
        # exp of a large number: 1 / inf is the 0 that GELU and SiLU want; attention tells when its sums overflow
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for call in self.calls:
                call()

    def _new(self, width: int) -> np.ndarray:
        return np.empty((self.batch, width), self.dtype)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Adds a call to the list; the last argument is where its result goes."""
        self.calls.append(partial(function, *arguments))

    def _linear(self, x: np.ndarray, layer: Folded, y: np.ndarray | None = None) -> np.ndarray:
        """The layer, and the norm before it where it has one."""
        return self._product(x if layer.eps is None else self._normalized(x, layer.eps), layer, y)

    def _product(self, x: np.ndarray, layer: Folded, y: np.ndarray | None = None) -> np.ndarray:
        """x W^T + b"""
        y = self._new(len(layer.weight)) if y is None else y
        if self.batch == 1:  # the product of a matrix and a vector, with less around it
            self._call(np.dot, layer.weight, x[0], y[0])
        else:
            self._call(np.matmul, x, layer.weight.T, y)
        if layer.bias is not None:
            self._call(np.add, y, layer.bias, y)
        return y

    def _normalized(self, x: np.ndarray, eps: float) -> np.ndarray:
        """x / sqrt(mean x^2 + eps), the mean of x being 0."""
        y, width = self._new(x.shape[1]), x.shape[1]
        if self.batch == 1:
            only, out, share, factor = x[0], y[0], 1 / width, np.empty((), self.dtype)
            dot, sqrt, multiply = only.dot, math.sqrt, np.multiply  # names that need no looking up: a third of the time

            def normalize() -> None:
                factor[()] = 1 / sqrt(dot(only) * share + eps)
                multiply(only, factor, out)

            self.calls.append(normalize)
            return y
        square, number, mean_of = self._new(width), self._new(1), np.full((width, 1), 1 / width, self.dtype)
        self._call(np.multiply, x, x, square)
        self._call(np.dot, square, mean_of, number)
        self._call(np.add, number, eps, number)
        self._call(np.sqrt, number, number)
        self._call(np.divide, x, number, y)
        return y

    def _mlp(self, x: np.ndarray, block: FoldedBlock) -> np.ndarray:
        """The block's MLP, or its experts, and the norm before."""
        if block.router is None:
            h = self._linear(x, block.ups[0])
            return self._linear(activation(h, block.gated, self.calls), block.downs[0])
        assert block.router.eps is not None
        n, y = self._normalized(x, block.router.eps), self._new(x.shape[1])
        self.calls.append(TokenExperts(block, n, self._product(n, block.router), y))
        return y

    def _attend(self, qkv: np.ndarray, block: FoldedBlock, number: int) -> np.ndarray:
        """The new token's queries meet all keys of its row, its own among them."""
        heads, groups, size = self.weights.n_head, self.weights.n_kv_head, self.weights.head_size
        by_head, y = qkv.reshape(self.batch, heads + 2 * groups, size), self._new(heads * size)
        q, k, v = np.split(by_head, [heads, heads + groups], axis=1)
        if block.norms is not None:
            self._normalize_heads(by_head[:, : heads + groups], block.norms)
        q, k = (q, k[:, :, None]) if self.turn is None else self._turned(by_head[:, : heads + groups])
        q, place = (array.reshape(self.batch, groups, heads // groups, size) for array in (q, y))
        self.calls.append(partial(self.attention, number, block.window, q, k, v, place))
        return y

    def _normalize_heads(self, x: np.ndarray, norms: HeadNorms) -> None:
        """(B, H + G, K), in place"""
        number = np.empty(x.shape[:2], self.dtype)
        self._call(np.vecdot, x, x, number)
        self._call(np.add, number, norms.eps, number)
        self._call(np.sqrt, number, number)
        self._call(np.divide, x, number[..., None], x)
        self._call(np.multiply, x, norms.gain, x)

    def _turned(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Queries and keys (B, H + G, K) in pairs, turned.  -> in halves, (B, H, 2, K/2) and a view (B, G, 2, K/2)"""
        heads, (batch, both, size) = self.weights.n_head, x.shape
        pairs = x.view(np.result_type(self.dtype, np.complex64))
        self._call(np.multiply, pairs, self.turn, pairs)
        halves = x.reshape(batch, both, size // 2, 2).swapaxes(2, 3)
        q = np.empty((batch, heads, 2, size // 2), self.dtype)
        self._call(np.positive, halves[:, :heads], q)
        return q, halves[:, heads:]
