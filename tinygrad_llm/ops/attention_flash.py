"""Attention by kernels that never hold the (T, S) scores in memory: FlashAttention.

A block of queries meets the keys tile by tile; of each row only its largest score and its sum so far are kept, and what
was added up before is scaled when a larger score comes. For the way back one number a row is kept, the logarithm of the
row's sum, and the scores are computed again. `backend/kernels/attention_float32.cu` tells it step by step.
Source: Dao, "FlashAttention-2", 2023; Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
"""

from __future__ import annotations

from typing import Any

from tinygrad_llm.backend import Array, DeviceStream, namespace

MOST_CALLS = 4096
"""Draws of one forward pass, at most."""


class FlashAttention:
    """One call of attention without a mask. q (B, G, R, T, K), k and v (B, G, S, K), views of any strides; lengths and
    window as in `ops.attention`."""

    def __init__(
        self,
        kernels: Any,
        q: Array,
        k: Array,
        v: Array,
        causal: bool,
        scale: float,
        p: float,
        rng: DeviceStream | None,
        *,
        lengths: Array | None = None,
        window: int | None = None,
    ) -> None:
        self.kernels, self.q, self.k, self.v = kernels, _heads(q), k, v
        self.options: dict[str, Any] = {"causal": causal, "scale": scale, "p": p if rng is not None else 0.0}
        counts = None if lengths is None else namespace(q).ascontiguousarray(lengths.astype("int32", copy=False))
        self.options |= {"lengths": counts, "window": window}
        if rng is not None:
            # the kernels count examples from 0 in each call: those of a later batch are told apart by the call
            self.options |= {"counter": rng.counter, "call": rng.next_call() + MOST_CALLS * rng.first_example}

    def forward(self, out: Array) -> None:
        """Writes softmax(scale q k^T) v into `out`, (B, G, R, T, K)."""
        self.out = _heads(out)
        self.lse_BHT = namespace(out).empty(self.q.shape[:3], "float32")
        self.kernels.flash_forward(self.q, self.k, self.v, self.out, self.lse_BHT, **self.options)

    def backward(self, g: Array, dq: Array, dk: Array, dv: Array, needs_mask: Any) -> None:
        """Writes the gradients into dq (B, G, R, T, K), dk and dv (B, G, S, K)."""
        xp, saved = namespace(g), (self.q, self.k, self.v, self.out, self.lse_BHT)
        g = g if g.strides[-1] == g.itemsize else xp.ascontiguousarray(g)
        delta_BHT = xp.empty_like(self.lse_BHT)
        self.kernels.flash_backward(*saved, _heads(g), _heads(dq), dk, dv, delta=delta_BHT, **self.options)


def _heads(x_BGRTK: Array) -> Array:
    """(B, G, R, T, K) -> (B, H, T, K), a view: the groups lie side by side."""
    batch, groups, repeats, time, size = x_BGRTK.shape
    return x_BGRTK.reshape(batch, groups * repeats, time, size)
