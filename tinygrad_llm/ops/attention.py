"""Attention: each position asks (query), every position offers (key), and the answer is a mean of values.

The readable form is `composed.attention`: four lines. This is the same function, fused, in three respects:

* **Blocks.** Under a causal mask half of the scores are never used. Queries are taken in blocks, and a block only meets
  the keys it may see.
* **No division of the weights.** With e = exp(s) and z = sum e, the output is (e v) / z: K numbers a row are divided
  instead of S. The backward pass needs p = e / z only in products, where 1/z moves to the other factor likewise.
* **No row maximum**, where the scores are small. exp(s - m) / sum exp(s - m) does not depend on m; m is there to keep
  exp from overflowing. One look at the largest score of a block tells whether m = 0 will do.

Source: Vaswani et al., "Attention Is All You Need", 2017; grouped heads: Ainslie et al., "GQA", 2023; the derivative
with delta = sum_k dO O: Dao et al., "FlashAttention", 2022.
"""

from __future__ import annotations

import math
from typing import Any

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, namespace, row_tiles
from tinygrad_llm.errors import DtypeError, ShapeError
from tinygrad_llm.ops.dropout import check_probability, keep_mask

QUERY_BLOCK = 64
"""Queries a block: large enough for BLAS, small enough to skip most of what lies above the diagonal."""
BLOCK_BYTES = 512 * 1024
"""Scores a block: they are read and written five times while they are in the cache."""
SMALL_SCORE, SMALL_SUM = 16.0, 1e-6
"""exp needs no shift while all scores are below the one and all row sums above the other."""


@op
def attention(q, k, v, mask: Array | None = None, causal=False, scale=None, p=0.0, rng=None):
    """softmax(scale q k^T + mask) v.  (B, H, T, K), (B, G, S, K), (B, G, S, K) -> (B, H, T, K)

    G heads of keys and values serve H heads of queries, H a multiple of G, each H/G neighbours.
    mask    booleans, true where a query may look, or numbers that are added to the scores; broadcast to (B, H, T, S).
    causal  query t sees the keys up to t + S - T: the last query sees all, as with a cache of earlier keys.
    scale   1/sqrt(K) where None, which keeps the scores' variance at 1.
    p, rng  dropout on the weights.

    A query that may look nowhere answers 0.
    """
    q_BGRTK, k_BGSK, v_BGSK = _grouped(q, k, v)
    out = namespace(q).empty(q.shape, q.dtype)
    core = _Core(q_BGRTK, k_BGSK, v_BGSK, mask, causal, scale, p, rng)
    core.forward(out.reshape(q_BGRTK.shape))

    def vjp(g, needs):
        xp = namespace(g)
        dq, dk, dv = (xp.empty(x.shape, x.dtype) for x in (q, k, v))
        dmask = core.backward(g.reshape(q_BGRTK.shape), dq.reshape(q_BGRTK.shape), dk, dv, needs[3])
        return dq, dk, dv, dmask

    return out, vjp


@op
def packed_attention(qkv, n_head=1, n_kv_head=None, causal=True, scale=None, p=0.0, rng=None):
    """`attention` on queries, keys and values that one linear layer made side by side.

    (B, T, (H + 2G) K) -> (B, T, H K).  Nothing is copied: the heads are views, and the gradients are written into
    views of one array.
    """
    groups = n_kv_head or n_head
    batch, time, width = qkv.shape
    size, rest = divmod(width, n_head + 2 * groups)
    if rest or n_head % groups:
        raise ShapeError("qkv", f"(B, T, (H + 2G) K) with H = {n_head}, G = {groups}, H a multiple of G", qkv.shape)
    xp = namespace(qkv)

    def heads(x, first, count):
        part = x[:, :, first * size : (first + count) * size].reshape(batch, time, count, size)
        return part.transpose(0, 2, 1, 3)  # (B, count, T, K), a view

    def parts(x):
        return heads(x, 0, n_head), heads(x, n_head, groups), heads(x, n_head + groups, groups)

    def as_groups(x_BHTK):
        return x_BHTK.reshape(batch, groups, n_head // groups, time, size)

    q, k, v = parts(qkv)
    out = xp.empty((batch, time, n_head * size), qkv.dtype)
    out_BGRTK = as_groups(heads(out, 0, n_head))
    core = _Core(as_groups(q), k, v, None, causal, scale, p, rng)
    core.forward(out_BGRTK)

    def vjp(g, needs):
        d = xp.empty(qkv.shape, qkv.dtype)
        dq, dk, dv = parts(d)
        core.backward(as_groups(heads(g, 0, n_head)), as_groups(dq), dk, dv, False)
        return d

    return out, vjp


def _grouped(q: Array, k: Array, v: Array) -> tuple[Array, Array, Array]:
    """q with its heads in G groups of R: (B, G, R, T, K).  Raises ShapeError where the three do not fit."""
    for name, x in (("q", q), ("k", k), ("v", v)):
        if x.ndim != 4:
            raise ShapeError(name, "(B, heads, positions, K)", x.shape)
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    if k.shape != v.shape or k.shape[0] != batch or k.shape[3] != size or not groups or heads % groups:
        wanted = f"(B, G, S, K) with B = {batch}, K = {size}, H = {heads} a multiple of G, the same for both"
        raise ShapeError("k and v", wanted, f"{k.shape} and {v.shape}")
    return q.reshape(batch, groups, heads // groups, time, size), k, v


class _Core:
    """One call of attention: its inputs, and for each block what the way back needs."""

    def __init__(self, q, k, v, mask, causal, scale, p, rng) -> None:
        self.xp = namespace(q)
        self.q, self.k, self.v = q, k[:, :, None], v[:, :, None]  # (B, G, R, T, K), (B, G, 1, S, K)
        self.batch, self.groups, self.repeats, self.time, size = q.shape
        self.source = k.shape[2]
        self.scale = 1 / math.sqrt(size) if scale is None else float(scale)
        self.causal, self.mask = causal, self._mask_of(mask)
        check_probability("p", p)
        full = (self.batch, self.groups * self.repeats, self.time, self.source)
        self.drop = None
        if rng is not None and p > 0:
            self.drop = self._grouped_view(self.xp.asarray(keep_mask(full, p, rng, q.dtype)))
        self.saved: list[tuple[slice, slice, int, Array, Array]] = []

    def _mask_of(self, mask: Any) -> Array | None:
        if mask is None:
            return None
        full = (self.batch, self.groups * self.repeats, self.time, self.source)
        try:
            mask_BHTS = self.xp.broadcast_to(mask, full)
        except ValueError as error:
            raise ShapeError("mask", f"broadcastable to (B, H, T, S) = {full}", mask.shape) from error
        if mask.dtype.kind != "b" and mask.dtype != self.q.dtype:
            raise DtypeError("mask", f"bool or {self.q.dtype}", mask.dtype)
        return self._grouped_view(mask_BHTS)

    def _grouped_view(self, x_BHTS: Array) -> Array:
        return x_BHTS.reshape(self.batch, self.groups, self.repeats, self.time, self.source)

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
