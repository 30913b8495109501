"""Attention on the CPU: what `composed.attention` computes, fused, in three respects.

* **Blocks.** Under a causal mask half of the scores are never used, under a window most of them. Queries are taken in
  blocks, and a block only meets the keys that one of its queries may see.
* **No division of the weights.** With e = exp(s) and z = sum e, the output is (e v) / z: J numbers a row are divided
  instead of S. The backward pass needs p = e / z only in products, where 1/z moves to the other factor likewise.
* **No row maximum**, where the scores are small. exp(s - m) / sum exp(s - m) does not depend on m; m is there to keep
  exp from overflowing. The largest score of a block tells whether m = 0 will do.

The derivative with delta = sum_j dO O: Dao et al., "FlashAttention", 2022.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_llm.autograd.mode import MODE
from tinygrad_llm.backend import Array, row_tiles

QUERY_BLOCK = 64
"""Queries a block: large enough for BLAS, small enough to skip most of what lies above the diagonal."""
BLOCK_BYTES = 512 * 1024
"""Scores a block: they are read and written five times while they are in the cache."""
SMALL_SCORE, SMALL_SUM = 16.0, 1e-6
"""exp needs no shift while all scores are below the one and all row sums above the other."""


class Block(NamedTuple):
    """Some queries of some examples, and the keys that at least one of these queries sees.

    hidden: for some of the columns (counted from keys.start) which of them each query sees, (b or 1, 1, 1, t, columns);
    all queries see all other columns.
    """

    examples: slice
    queries: slice
    keys: slice
    hidden: list[tuple[slice, Array]]


class Saved(NamedTuple):
    """What the backward pass needs of a block: e = exp(scores), 1 / sum e, the softcap's slope."""

    block: Block
    e: Array
    inverse: Array
    slope: Array | None


class BlockedAttention:
    """One call of attention: its inputs, and for each block what the backward pass needs.

    q (B, G, R, T, K), k (B, G, S, K), v (B, G, S, J); mask and drop (B, G, R, T, S) or None, drop holding 0 or
    1/(1 - p). Query t of example b stands at position lengths[b] + t - T, lengths[b] = S where None. `ops.attention`
    says what lengths, window and softcap mean. The R heads that share keys lie side by side as R T rows of one product.
    """

    def __init__(
        self,
        q: Array,
        k: Array,
        v: Array,
        mask: Any,
        causal: bool,
        scale: float,
        drop: Any,
        *,
        lengths: Any = None,
        window: int | None = None,
        softcap: float | None = None,
    ) -> None:
        self.q, self.k, self.v = q, k, v
        self.batch, self.groups, self.repeats, self.time, _ = q.shape
        self.source = k.shape[2]
        self.scale, self.causal, self.mask, self.drop = scale, causal, mask, drop
        self.lengths, self.window, self.softcap = lengths, window, softcap
        self.saved: list[Saved] = []

    def forward(self, out: Array) -> None:
        """Writes softmax(scale q k^T + mask) v into `out`, (B, G, R, T, J)."""
        recording = MODE.get().grad_enabled
        for block in self.blocks():
            examples, queries, keys, _ = block
            e, inverse, slope = self._weights(self._scaled_queries(block), self.k[examples, :, keys], block)
            self._product(self._dropped(e, block), self.v[examples, :, keys], inverse, out[examples, :, :, queries])
            if recording:
                self.saved.append(Saved(block, e, inverse, slope))
        self.out = out

    def backward(self, g: Array, dq: Array, dk: Array, dv: Array, needs_mask: Any) -> Array | None:
        """Writes the gradients into dq (B, G, R, T, K), dk (B, G, S, K) and dv (B, G, S, J); returns that of the mask
        if asked."""
        scores = (self.batch, self.groups, self.repeats, self.time, self.source)
        dmask = np.zeros(scores, g.dtype) if needs_mask else None
        if not self.saved:  # without queries
            dk[...], dv[...] = 0, 0
        for block, e, inverse, slope in self.saved:
            examples, queries, keys, _ = block
            k, v = self.k[examples, :, keys], self.v[examples, :, keys]
            go = self._rows(g[examples, :, :, queries]) * inverse
            delta = np.vecdot(go, self._rows(self.out[examples, :, :, queries]))[..., None]
            ds = np.matmul(go, v.swapaxes(-1, -2))
            if self.drop is not None:
                self._as_scores(ds)[...] *= self.drop[examples, :, :, queries, keys]
            ds -= delta
            ds *= e
            if dmask is not None:
                dmask[examples, :, :, queries, keys] = self._as_scores(ds)
            if slope is not None:
                ds *= slope
            self._product(ds, k, self.scale, dq[examples, :, :, queries])
            self._add_to_keys(ds, self._scaled_queries(block), dk, block)
            self._add_to_keys(self._dropped(e, block), go, dv, block)
        return None if dmask is None else dmask.reshape(self.batch, self.groups * self.repeats, self.time, self.source)

    def blocks(self) -> Iterator[Block]:
        """The last queries first: under a causal mask they see the most keys."""
        step = self.time if self.time < 2 * QUERY_BLOCK or not self.causal else QUERY_BLOCK
        for start in reversed(range(0, self.time, max(1, step))):
            queries = slice(start, min(start + step, self.time))
            every = self._block(slice(0, self.batch), queries)
            rows = self.groups * self.repeats * (queries.stop - start)
            row_bytes = rows * (every.keys.stop - every.keys.start) * self.q.itemsize
            if self.batch * row_bytes <= BLOCK_BYTES:
                yield every
                continue
            for examples in row_tiles(self.batch, row_bytes, BLOCK_BYTES):
                yield self._block(examples, queries)

    def _block(self, examples: slice, queries: slice) -> Block:
        if self.lengths is None or not self.batch:
            shortest = longest = self.source
        else:
            lengths = self.lengths[examples]
            shortest, longest = int(lengths.min()), int(lengths.max())
        start, stop = 0, longest
        if self.causal:
            stop = max(0, longest + queries.stop - self.time)
            if self.window is not None:
                start = min(stop, max(0, shortest + queries.start - self.time + 1 - self.window))
        if shortest < longest:
            columns, ends = [(start, stop)], lengths
        else:
            columns, ends = [], longest
            if self.causal:  # above the diagonal, and before the window
                columns.append((max(start, longest + queries.start - self.time + 1), stop))
            if self.window is not None:
                columns.append((start, min(stop, longest + queries.stop - self.time - self.window)))
        hidden = [(slice(a - start, b - start), self._seen(ends, queries, slice(a, b))) for a, b in columns if a < b]
        return Block(examples, queries, slice(start, stop), hidden)

    def _seen(self, ends: Any, queries: slice, keys: slice) -> Array:
        """Which query may see which key, (b or 1, 1, 1, t, s)."""
        s = np.arange(keys.start, keys.stop)
        ends = np.reshape(ends, (-1, 1, 1, 1, 1))
        if not self.causal:
            return s < ends
        positions = ends + np.arange(queries.start - self.time, queries.stop - self.time)[:, None]
        seen = s <= positions
        if self.window is not None:
            seen &= s > positions - self.window
        return seen

    def _scaled_queries(self, block: Block) -> Array:
        """(b, G, R t, K); made twice rather than kept, since it is as large as the output."""
        return self._rows(self.q[block.examples, :, :, block.queries]) * self.scale

    def _weights(self, q: Array, k: Array, block: Block) -> tuple[Array, Array, Array | None]:
        """e = exp(scores - shift), 1 / sum e, which is 0 for a query that sees nothing, and the softcap's slope."""
        e, slope = self._scores(q, k, block)
        if e.size and e.max() <= SMALL_SCORE:
            np.exp(e, out=e)
            self._hide(e, block, 0)
            total = np.matmul(e, np.ones((e.shape[-1], 1), e.dtype))
            if total.min() >= SMALL_SUM:
                return e, np.divide(1, total, out=total), slope
            e, slope = self._scores(q, k, block)
        self._hide(e, block, -math.inf)
        top = e.max(-1, keepdims=True, initial=-math.inf)
        top[top == -math.inf] = 0
        e -= top
        np.exp(e, out=e)
        total = e.sum(-1, keepdims=True)
        return e, np.divide(1, total, out=np.zeros_like(total), where=total != 0), slope

    def _scores(self, q: Array, k: Array, block: Block) -> tuple[Array, Array | None]:
        """q k^T, capped, with a mask of numbers added, (b, G, R t, s); and the derivative of the cap."""
        scores, slope = np.matmul(q, k.swapaxes(-1, -2)), None
        if self.softcap is not None:
            scores *= 1 / self.softcap
            np.tanh(scores, out=scores)
            slope = 1 - scores * scores
            scores *= self.softcap
        if self.mask is not None and self.mask.dtype.kind != "b":
            self._as_scores(scores)[...] += self.mask[block.examples, :, :, block.queries, block.keys]
        return scores, slope

    def _hide(self, x: Array, block: Block, value: float) -> None:
        """Sets what a query may not see to `value`, 0 or -inf, in place; x holds no infinity where it is 0."""
        hidden = block.hidden
        if self.mask is not None and self.mask.dtype.kind == "b":
            hidden = [*hidden, (slice(None), self.mask[block.examples, :, :, block.queries, block.keys])]
        for columns, seen in hidden:
            part = self._as_scores(x)[..., columns]
            if value == 0:
                part *= seen  # seven times faster than copyto, whose branches are hard to foretell
            else:
                np.minimum(part, np.where(seen, math.inf, value).astype(x.dtype), out=part)

    def _product(self, a: Array, b: Array, factor: Any, out: Array) -> None:
        """out = factor a b.  (b, G, R t, s), (b, G, s, C) -> (b, G, R, t, C)"""
        if self.repeats == 1:
            y = np.matmul(a, b, out=out[:, :, 0])
            y *= factor
        else:
            y = np.matmul(a, b)
            y *= factor
            out[...] = y.reshape(out.shape)

    def _add_to_keys(self, weights: Array, x: Array, out: Array, block: Block) -> None:
        """out (+)= sum over the queries, and over the heads that share a key, of weights^T x."""
        part, turned = out[block.examples, :, block.keys], weights.swapaxes(-1, -2)
        if block.queries.stop < self.time:
            part += np.matmul(turned, x)
            return
        np.matmul(turned, x, out=part)  # the first block of these examples: nothing is there yet
        out[block.examples, :, : block.keys.start] = 0
        out[block.examples, :, block.keys.stop :] = 0

    def _dropped(self, e: Array, block: Block) -> Array:
        if self.drop is None:
            return e
        dropped = self._as_scores(e) * self.drop[block.examples, :, :, block.queries, block.keys]
        return dropped.reshape(e.shape)

    def _rows(self, x_BGRTC: Array) -> Array:
        """(b, G, R, t, C) -> (b, G, R t, C), without a copy where R = 1."""
        batch, groups, repeats, time, size = x_BGRTC.shape
        return x_BGRTC[:, :, 0] if repeats == 1 else x_BGRTC.reshape(batch, groups, repeats * time, size)

    def _as_scores(self, x: Array) -> Array:
        """(b, G, R t, s) -> (b, G, R, t, s), a view."""
        batch, groups, rows, source = x.shape
        return x.reshape(batch, groups, self.repeats, rows // self.repeats, source)
