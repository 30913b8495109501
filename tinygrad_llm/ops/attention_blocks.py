"""Attention on the CPU: what `composed.attention` computes, fused, in three respects.

* **Blocks.** Under a causal mask half of the scores are never used. Queries are taken in blocks, and a block only meets
  the keys it may see.
* **No division of the weights.** With e = exp(s) and z = sum e, the output is (e v) / z: K numbers a row are divided
  instead of S. The backward pass needs p = e / z only in products, where 1/z moves to the other factor likewise.
* **No row maximum**, where the scores are small. exp(s - m) / sum exp(s - m) does not depend on m; m is there to keep
  exp from overflowing. One look at the largest score of a block tells whether m = 0 will do.

The derivative with delta = sum_k dO O: Dao et al., "FlashAttention", 2022.
"""

from __future__ import annotations

import math
from typing import Any

from tinygrad_llm.backend import Array, namespace, row_tiles

QUERY_BLOCK = 64
"""Queries a block: large enough for BLAS, small enough to skip most of what lies above the diagonal."""
BLOCK_BYTES = 512 * 1024
"""Scores a block: they are read and written five times while they are in the cache."""
SMALL_SCORE, SMALL_SUM = 16.0, 1e-6
"""exp needs no shift while all scores are below the one and all row sums above the other."""


class BlockedAttention:
    """One call of attention: its inputs, and for each block what the way back needs.

    q (B, G, R, T, K), k and v (B, G, S, K); mask and drop (B, G, R, T, S) or None, drop holding 0 or 1/(1 - p).
    """

    def __init__(self, q: Array, k: Array, v: Array, mask: Any, causal: bool, scale: float, drop: Any) -> None:
        self.xp = namespace(q)
        self.q, self.k, self.v = q, k[:, :, None], v[:, :, None]  # (B, G, R, T, K), (B, G, 1, S, K)
        self.batch, self.groups, self.repeats, self.time, _ = q.shape
        self.source = k.shape[2]
        self.scale, self.causal, self.mask, self.drop = scale, causal, mask, drop
        self.saved: list[tuple[slice, slice, int, Array, Array]] = []

    def blocks(self):
        """(examples, queries, number of keys they see), the blocks with most keys first."""
        step = self.time if self.time < 2 * QUERY_BLOCK or not self.causal else QUERY_BLOCK
        starts = list(range(0, self.time, max(1, step)))
        for start in reversed(starts):
            stop = min(start + step, self.time)
            keys = max(0, min(self.source, stop + self.source - self.time)) if self.causal else self.source
            row_bytes = self.groups * self.repeats * (stop - start) * keys * self.q.itemsize
            for examples in row_tiles(self.batch, row_bytes, BLOCK_BYTES):
                yield examples, slice(start, stop), keys

    def forward(self, out: Array) -> None:
        """Writes softmax(scale q k^T + mask) v into `out`, (B, G, R, T, K)."""
        for examples, queries, keys in self.blocks():
            q, v = self.q[examples, :, :, queries], self.v[examples, :, :, :keys]
            e, inverse = self._weights(q * self.scale, examples, queries, keys)
            self.saved.append((examples, queries, keys, e, inverse))
            o = self.xp.matmul(self._dropped(e, examples, queries), v, out=out[examples, :, :, queries])
            o *= inverse
        self.out = out

    def backward(self, g: Array, dq: Array, dk: Array, dv: Array, needs_mask: Any) -> Array | None:
        """Writes the gradients into dq (B, G, R, T, K), dk and dv (B, G, S, K); returns that of the mask if asked."""
        xp = self.xp
        dmask = (
            xp.zeros((self.batch, self.groups, self.repeats, self.time, self.source), g.dtype) if needs_mask else None
        )
        if not self.saved:  # nobody asked
            dk[...], dv[...] = 0, 0
        for examples, queries, keys, e, inverse in self.saved:
            first = queries.stop == self.time  # the last queries see all keys: they overwrite, all others add
            go = g[examples, :, :, queries] * inverse
            delta = (go * self.out[examples, :, :, queries]).sum(-1, keepdims=True)
            ds = xp.matmul(go, self.v[examples, :, :, :keys].swapaxes(-1, -2))
            if self.drop is not None:
                ds *= self.drop[examples, :, :, queries, :keys]
            ds -= delta
            ds *= e
            if dmask is not None:
                dmask[examples, :, :, queries, :keys] = ds
            part = xp.matmul(ds, self.k[examples, :, :, :keys], out=dq[examples, :, :, queries])
            part *= self.scale
            q = self.q[examples, :, :, queries] * self.scale
            self._add_over_repeats(ds, q, dk[examples, :, :keys], first)
            self._add_over_repeats(self._dropped(e, examples, queries), go, dv[examples, :, :keys], first)
        return None if dmask is None else dmask.reshape(self.batch, -1, self.time, self.source)

    def _add_over_repeats(self, weights: Array, x: Array, out: Array, first: bool) -> None:
        """out (+)= sum over the queries, and over the heads that share a key, of weights^T x."""
        xp, turned = self.xp, weights.swapaxes(-1, -2)
        if self.repeats == 1 and first:
            xp.matmul(turned, x, out=out[:, :, None])
        else:
            term = xp.matmul(turned, x).sum(2) if self.repeats > 1 else xp.matmul(turned[:, :, 0], x[:, :, 0])
            out[...] = term if first else out + term

    def _dropped(self, e: Array, examples: slice, queries: slice) -> Array:
        return e if self.drop is None else e * self.drop[examples, :, :, queries, : e.shape[-1]]

    def _weights(self, q: Array, examples: slice, queries: slice, keys: int) -> tuple[Array, Array]:
        """e = exp(scores - shift) and 1 / sum e, 0 for a query that may look nowhere."""
        xp = self.xp
        scores = xp.matmul(q, self.k[examples, :, :, :keys].swapaxes(-1, -2))
        mask = None if self.mask is None else self.mask[examples, :, :, queries, :keys]
        if mask is not None and mask.dtype.kind != "b":
            scores += mask
        if keys and scores.max(initial=0) <= SMALL_SCORE:
            e = xp.exp(scores)
            self._hide(e, mask, queries, 0)
            total = xp.matmul(e, xp.ones((keys, 1), e.dtype))
            if total.min() >= SMALL_SUM:
                xp.divide(1, total, out=total)
                return e, total
        self._hide(scores, mask, queries, -math.inf)
        top = scores.max(-1, keepdims=True, initial=-math.inf)
        top = xp.where(top == -math.inf, xp.zeros_like(top), top)
        e = xp.exp(scores - top)
        total = e.sum(-1, keepdims=True)
        return e, xp.where(total == 0, total, 1 / xp.where(total == 0, xp.ones_like(total), total))

    def _hide(self, x: Array, mask: Array | None, queries: slice, value: float) -> None:
        """Sets what the mask or the causal order forbids to `value`, in place."""
        xp = self.xp
        if mask is not None and mask.dtype.kind == "b":
            xp.copyto(x, value, where=~mask)
        if self.causal:
            # query t sees keys 0 .. t + S - T; only the last columns of a block hold any that it must not see
            rows, keys = x.shape[-2:]
            first = max(0, queries.start + self.source - self.time + 1)
            if first < keys:
                t = xp.arange(rows)[:, None] + (queries.start + self.source - self.time)
                xp.copyto(x[..., first:], value, where=xp.arange(first, keys) > t)
