"""Attention with all its scores in memory: the definition, read off line by line, for any float type and device.

What the kernels of `attention_flash` were not made for runs here: masks, heads larger than 128, float64. bfloat16 is
computed in float32 and rounded at the end.
"""

from __future__ import annotations

import math
from typing import Any

from tinygrad_llm.backend import Array, matmul, namespace, widened


class PlainAttention:
    """One call of attention; arguments as for `BlockedAttention`. Nothing here waits for a GPU."""

    def __init__(self, q: Array, k: Array, v: Array, mask: Any, causal: bool, scale: float, drop: Any) -> None:
        self.xp, self.scale, self.mask, self.causal, self.drop = namespace(q), scale, mask, causal, drop
        self.q, self.k, self.v = widened(q), widened(k[:, :, None]), widened(v[:, :, None])

    def forward(self, out: Array) -> None:
        """Writes softmax(scale q k^T + mask) v into `out`, (B, G, R, T, K)."""
        xp = self.xp
        scores = matmul(self.q * self.scale, self.k.swapaxes(-1, -2))
        if self.mask is not None and self.mask.dtype.kind != "b":
            scores = scores + self.mask
        scores = xp.where(self._allowed(scores.shape), scores, -math.inf)
        if not scores.shape[-1]:
            self.weights = scores
            out[...] = 0
            return
        top = scores.max(-1, keepdims=True)
        e = xp.exp(scores - xp.where(top == -math.inf, 0, top))
        total = e.sum(-1, keepdims=True)
        self.weights = e / xp.where(total == 0, 1, total)  # a query that may look nowhere has no weights
        out[...] = matmul(self._dropped(self.weights), self.v)

    def backward(self, g: Array, dq: Array, dk: Array, dv: Array, needs_mask: Any) -> Array | None:
        """Writes the gradients into dq (B, G, R, T, K), dk and dv (B, G, S, K); returns that of the mask if asked.

        With p the weights and dp = dO v^T:  ds = p (dp - sum_s p dp), dq = scale ds k, dk = scale ds^T q, dv = p^T dO.
        Heads that share keys add up.
        """
        g, p = widened(g), self.weights
        dp = self._dropped(matmul(g, self.v.swapaxes(-1, -2)))
        ds = p * (dp - (p * dp).sum(-1, keepdims=True))
        dq[...] = matmul(ds, self.k) * self.scale
        dk[...] = matmul(ds.swapaxes(-1, -2), self.q * self.scale).sum(2)
        dv[...] = matmul(self._dropped(p).swapaxes(-1, -2), g).sum(2)
        batch, groups, repeats, time, source = ds.shape
        return ds.reshape(batch, groups * repeats, time, source) if needs_mask else None

    def _dropped(self, x: Array) -> Array:
        return x if self.drop is None else x * self.drop

    def _allowed(self, shape: tuple[int, ...]) -> Array:
        """Where a query may look, (B, G, R, T, S) or what broadcasts to it. Query t sees keys 0 .. t + S - T."""
        xp, (time, source) = self.xp, shape[-2:]
        allowed = xp.ones((1, 1), bool)
        if self.causal:
            allowed = xp.arange(source) <= xp.arange(time)[:, None] + (source - time)
        return allowed & self.mask if self.mask is not None and self.mask.dtype.kind == "b" else allowed
