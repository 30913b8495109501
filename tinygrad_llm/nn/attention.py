"""The half of a transformer block in which positions exchange what they know."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn.layers import Dropout, Linear, Rng, positive
from tinygrad_llm.nn.module import Module


class CausalSelfAttention(Module):
    """Each position asks all earlier ones and itself.  (B, T, D) -> (B, T, D)

    n_head     H heads of size K = D / H.
    n_kv_head  G heads of keys and values, H where None; fewer share them (GQA, Ainslie et al., 2023).
    rope_base  turns queries and keys by their positions with this base (RoPE); None leaves positions to others.

    One linear layer makes queries, keys and values side by side: (D) -> ((H + 2 G) K).
    """

    def __init__(
        self,
        width: int,
        n_head: int,
        n_kv_head: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        rope_base: float | None = None,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        n_kv_head = n_head if n_kv_head is None else n_kv_head
        positive(width=width, n_head=n_head, n_kv_head=n_kv_head)
        if width % n_head:
            raise ArgumentError("n_head", f"a divisor of the width {width}", n_head)
        if n_head % n_kv_head:
            raise ArgumentError("n_kv_head", f"a divisor of the {n_head} heads", n_kv_head)
        self.n_head, self.n_kv_head, self.head_size, self.rope_base = n_head, n_kv_head, width // n_head, rope_base
        self.c_attn = Linear(width, (n_head + 2 * n_kv_head) * self.head_size, bias, rng=rng, std=std, dtype=dtype)
        self.c_proj = Linear(width, width, bias, rng=rng, std=out_std, dtype=dtype)
        self.dropout = Dropout(dropout)

    def __call__(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        p = self.dropout.p
        qkv = self.c_attn(x)
        if self.rope_base is None:
            y = ops.packed_attention(qkv, n_head=self.n_head, n_kv_head=self.n_kv_head, p=p, rng=rng)
        else:
            y = self._with_rope(qkv, self.rope_base, p, rng)
        return self.dropout(self.c_proj(y), rng)

    def _with_rope(self, qkv: Tensor, base: float, p: float, rng: Rng | None) -> Tensor:
        batch, time, _ = qkv.shape
        counts = (self.n_head, self.n_kv_head, self.n_kv_head)
        parts = ops.split(qkv, [count * self.head_size for count in counts])
        q, k, v = (
            part.reshape(batch, time, count, self.head_size).transpose(0, 2, 1, 3) for part, count in zip(parts, counts)
        )
        cos, sin = ops.rope_table(np.arange(time), self.head_size, base)
        q, k = ops.rope(q, cos=cos, sin=sin), ops.rope(k, cos=cos, sin=sin)
        y_BHTK = ops.attention(q, k, v, causal=True, p=p, rng=rng)
        return y_BHTK.transpose(0, 2, 1, 3).reshape(batch, time, self.n_head * self.head_size)
