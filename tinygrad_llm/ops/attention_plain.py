"""Attention with all its scores in memory: the definition, read off line by line, for any float type and device.

What the kernels of `attention_flash` were not made for runs here: masks, heads larger than 128, float64. bfloat16 is
computed in float32 and rounded at the end.
"""

from __future__ import annotations

import math
from typing import Any

from tinygrad_llm.backend import Array, matmul, namespace, widened


class PlainAttention:
    """One call of attention: q (B, G, R, T, K), k (B, G, S, K), v (B, G, S, J); nothing here waits for a GPU.

    mask (B, G, R, T, S) or None; drop, of the same shape, holds 0 or 1/(1 - p); the rest as in `ops.attention`.
    """

    def __init__(
        self, q: Array, k: Array, v: Array, mask: Any, causal: bool, scale: float, drop: Any,
        *, lengths: Any = None, window: int | None = None, softcap: float | None = None,
    ) -> None:  # fmt: skip
        self.xp, self.scale, self.mask, self.causal, self.drop = namespace(q), scale, mask, causal, drop
        self.lengths, self.window, self.softcap = lengths, window, softcap
        self.q, self.k, self.v = widened(q), widened(k[:, :, None]), widened(v[:, :, None])

    def forward(self, out: Array) -> None:
        """Writes softmax(scale q k^T + mask) v into `out`, (B, G, R, T, J)."""
        xp = self.xp
        scores = matmul(self.q * self.scale, self.k.swapaxes(-1, -2))
        if self.softcap is not None:
            self.tanh = xp.tanh(scores * (1 / self.softcap))
            scores = self.tanh * self.softcap
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
        self.weights = e / xp.where(total == 0, 1, total)  # a query that may see no key has no weights
        out[...] = matmul(self._dropped(self.weights), self.v)

    def backward(self, g: Array, dq: Array, dk: Array, dv: Array, needs_mask: Any) -> Array | None:
        """Writes the gradients into dq (B, G, R, T, K), dk and dv (B, G, S, .); returns that of the mask if asked.

        With p the weights and dp = dO v^T:  ds = p (dp - sum_s p dp), dq = scale ds k, dk = scale ds^T q, dv = p^T dO,
        and under a softcap ds (1 - tanh^2) for ds. Heads that share keys add up.
        """
        g, p = widened(g), self.weights
        dp = self._dropped(matmul(g, self.v.swapaxes(-1, -2)))
        ds = dmask = p * (dp - (p * dp).sum(-1, keepdims=True))
        if self.softcap is not None:
            ds = ds * (1 - self.tanh * self.tanh)
        dq[...] = matmul(ds, self.k) * self.scale
        dk[...] = matmul(ds.swapaxes(-1, -2), self.q * self.scale).sum(2)
        dv[...] = matmul(self._dropped(p).swapaxes(-1, -2), g).sum(2)
        batch, groups, repeats, time, source = ds.shape
        return dmask.reshape(batch, groups * repeats, time, source) if needs_mask else None

    def _dropped(self, x: Array) -> Array:
        return x if self.drop is None else x * self.drop

    def _allowed(self, shape: tuple[int, ...]) -> Array:
        """Which keys a query may see, (B, G, R, T, S) or what broadcasts to it."""
        allowed = visible(self.xp, shape[-2], shape[-1], self.lengths, self.causal, self.window)
        return allowed & self.mask if self.mask is not None and self.mask.dtype.kind == "b" else allowed


def visible(xp: Any, time: int, source: int, lengths: Array | None, causal: bool, window: int | None) -> Array:
    """Which of S keys each of T queries may see by its position: booleans (B, 1, 1, T, S), or (T, S) without lengths.

    Key s is seen where s < length, with causal where s <= t + length - T, with a window where also
    s > t + length - T - window.
    """
    key = xp.arange(source)
    end = source if lengths is None else lengths[:, None, None, None, None]  # how many keys there are
    if not causal:
        return xp.broadcast_to(key < end, (time, source)) if lengths is None else key < end
    last = xp.arange(time)[:, None] + (end - time)  # the last key that query t sees
    allowed = key <= last
    return allowed if window is None else allowed & (key > last - window)
