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
from tinygrad_llm.generate.cpu_weights import GELU_1, GELU_SCALE, Folded, FoldedGPT, can_be_folded

ROWS_A_THREAD, WORK_A_THREAD = 32, 1 << 24
"""Rows, and multiplications by weights, fewer of which are not worth a thread of their own: each reads all weights."""


def cpu_step(model: Any, batch: int) -> CpuStep | None:
    """The step for this model and batch size; None where the model is large, on a GPU, or has other parts."""
    return CpuStep(FoldedGPT(model, batch), batch) if can_be_folded(model) else None


class CpuStep:
    """step(ids (B,), cache) -> logits (B, V), in an array that the next call overwrites; the cache grows by a token."""

    def __init__(self, weights: FoldedGPT, batch: int) -> None:
        self.weights = weights
        count = max(1, min(threads_here(), batch // ROWS_A_THREAD, batch * weights.size // WORK_A_THREAD))
        self.logits = np.empty((batch, len(weights.tokens)), weights.dtype)
        cuts = [batch * i // count for i in range(count + 1)]
        self.parts = [_Rows(weights, slice(*cut), self.logits) for cut in zip(cuts, cuts[1:])]
        self.pool = ThreadPoolExecutor(count - 1) if count > 1 else None
        self.one_key = np.empty((batch, weights.n_head, 1, self.parts[0].head_size), weights.dtype)

    def resized(self, batch: int) -> CpuStep:
        """The step for so many rows, with the same weights."""
        return self if batch == len(self.logits) else CpuStep(self.weights, batch)

    def first(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """The same for ids that nobody has drawn.  Raises TokenError for one outside the vocabulary."""
        self.weights.embedding(ids_B)
        return self(ids_B, cache)

    def __call__(self, ids_B: np.ndarray, cache: Any) -> np.ndarray:
        """Reads one more token of each row; the cache is the model's KVCache."""
        end = cache.longest + 1
        for layer in cache.layers:  # here, since the rows' threads share it
            if layer.keys is None or layer.keys.shape[2] < end:
                layer.room(self.one_key, self.one_key, end)
        together(self.pool, lambda part: self.parts[part](ids_B, cache), len(self.parts))
        cache.advance(1)
        return self.logits


class _Rows:
    """The calls for some of the rows: writes their logits where they belong."""

    def __init__(self, weights: FoldedGPT, rows: slice, logits: np.ndarray) -> None:
        self.weights, self.rows, self.batch, self.dtype = weights, rows, rows.stop - rows.start, weights.dtype
        self.head_size = weights.tokens.shape[1] // weights.n_head
        self.calls: list[Callable[[], Any]] = []
        self.attention = TokenAttention(len(weights.blocks), rows, weights.n_head, self.dtype)
        self.x = x = self._new(weights.tokens.shape[1])
        for number, (qkv, o, up, down) in enumerate(weights.blocks):
            self._call(np.add, x, self._linear(self._attend(self._linear(x, qkv), number), o), x)
            self._call(np.add, x, self._linear(self._gelu(self._linear(x, up)), down), x)
        self._linear(x, weights.head, logits[rows])

    def __call__(self, ids_B: np.ndarray, cache: Any) -> None:
        self.attention.begin(cache)
        self._read(ids_B[self.rows])
        if not self.attention.safe():
            self.attention.shifted = True
            self._read(ids_B[self.rows])

    def _read(self, ids_B: np.ndarray) -> None:
        self.weights.tokens.take(ids_B, 0, out=self.x, mode="clip")  # ids were drawn from the vocabulary
        self.x += self.weights.places[self.attention.lengths]
        # exp of a large number: 1 / inf is the 0 that GELU wants; attention tells when its sums overflow
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
        x = x if layer.eps is None else self._normalized(x, layer.eps)
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

    def _gelu(self, h: np.ndarray) -> np.ndarray:
        """Of s h, times s, in place; see GELU_SCALE."""
        u, one, linear = self._new(h.shape[1]), np.array(1, self.dtype), np.array(GELU_1 / GELU_SCALE, self.dtype)
        self._call(np.multiply, h, h, u)
        self._call(np.add, u, linear, u)
        self._call(np.multiply, u, h, u)  # GELU_1 h + GELU_3 h^3
        self._call(np.exp, u, u)
        self._call(np.add, u, one, u)
        self._call(np.divide, h, u, h)
        return h

    def _attend(self, qkv: np.ndarray, number: int) -> np.ndarray:
        """The new token's query meets all keys of its row, its own among them."""
        heads, size = self.weights.n_head, self.head_size
        q_k_v, y = qkv.reshape(self.batch, 3, heads, size), self._new(heads * size)
        q, k, v = q_k_v[:, 0, :, None], q_k_v[:, 1], q_k_v[:, 2]
        self.calls.append(partial(self.attention, number, q, k, v, y.reshape(self.batch, heads, 1, size)))
        return y
