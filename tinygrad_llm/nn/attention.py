"""The half of a transformer block in which positions exchange what they know.

`CausalSelfAttention` is GPT's: a text looks at its own past. `MultiHeadAttention` is the general form, in which who
asks and who is asked may be two texts (Vaswani et al., "Attention Is All You Need", 2017, section 3.2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array, beside, namespace
from tinygrad_llm.errors import ArgumentError, DtypeError
from tinygrad_llm.nn.layers import Dropout, Linear, Rng, positive
from tinygrad_llm.nn.module import Module
from tinygrad_llm.shapes import check_shape


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
            y = self._with_rope(qkv, p, rng)
        return self.dropout(self.c_proj(y), rng)

    def weights(self, x: Tensor) -> Tensor:
        """The shares with which each position looks at itself and its past, to be shown.  (B, T, D) -> (B, H, T, T)"""
        q, k, _ = self._heads(self.c_attn(x))
        return _shares(q, k, causal=True)

    def _with_rope(self, qkv: Tensor, p: float, rng: Rng | None) -> Tensor:
        q, k, v = self._heads(qkv)
        y_BHTK = ops.attention(q, k, v, causal=True, p=p, rng=rng)
        return y_BHTK.transpose(0, 2, 1, 3).reshape(*qkv.shape[:2], self.n_head * self.head_size)

    def _heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, K), keys and values (B, G, T, K), turned by their positions where there is a base."""
        batch, time, _ = qkv.shape
        counts = (self.n_head, self.n_kv_head, self.n_kv_head)
        parts = ops.split(qkv, [count * self.head_size for count in counts])
        q, k, v = (
            part.reshape(batch, time, count, self.head_size).transpose(0, 2, 1, 3) for part, count in zip(parts, counts)
        )
        if self.rope_base is not None:
            cos, sin = ops.rope_table(namespace(qkv.data).arange(time), self.head_size, self.rope_base)
            q, k = ops.rope(q, cos=cos, sin=sin), ops.rope(k, cos=cos, sin=sin)
        return q, k, v


class MultiHeadAttention(Module):
    """Each position of x asks every position of a source.  (B, T, D), (B, S, D) -> (B, T, D)

    Without a source x asks itself, and all of itself: the future is hidden only if `causal`. With a source this is
    cross-attention: queries are made from x, keys and values from the source.

    n_head  H heads of size K = D / H.

    Four linear layers under BART's names, so that its files fit.
    """

    def __init__(
        self,
        width: int,
        n_head: int,
        bias: bool = True,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator,
        std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        positive(width=width, n_head=n_head)
        if width % n_head:
            raise ArgumentError("n_head", f"a divisor of the width {width}", n_head)
        self.n_head, self.head_size = n_head, width // n_head
        self.k_proj = Linear(width, width, bias, rng=rng, std=std, dtype=dtype)
        self.v_proj = Linear(width, width, bias, rng=rng, std=std, dtype=dtype)
        self.q_proj = Linear(width, width, bias, rng=rng, std=std, dtype=dtype)
        self.out_proj = Linear(width, width, bias, rng=rng, std=std, dtype=dtype)
        self.dropout = Dropout(dropout)

    def __call__(
        self, x: Tensor, source: Tensor | None = None, mask: Any = None, causal: bool = False, rng: Rng | None = None
    ) -> Tensor:
        """What the source answers to each position of x.

        mask  booleans (B, S), true where the source has a word, false where it is padding; all true where None. A text
              without any word answers 0.

        Raises ShapeError or DtypeError for a mask that is not that.
        """
        source = x if source is None else source
        q, k, v = self._heads(self.q_proj(x)), self._heads(self.k_proj(source)), self._heads(self.v_proj(source))
        y_BHTK = ops.attention(q, k, v, mask=_seen(mask, source), causal=causal, p=self.dropout.p, rng=rng)
        return self.dropout(self.out_proj(y_BHTK.transpose(0, 2, 1, 3).reshape(x.shape)), rng)

    def weights(self, x: Tensor, source: Tensor | None = None, mask: Any = None, causal: bool = False) -> Tensor:
        """The shares with which each position of x looks at the source, to be shown.  -> (B, H, T, S)"""
        source = x if source is None else source
        q, k = self._heads(self.q_proj(x)), self._heads(self.k_proj(source))
        return _shares(q, k, mask=_seen(mask, source), causal=causal)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, H, N, K)"""
        batch, positions, _ = x.shape
        return x.reshape(batch, positions, self.n_head, self.head_size).transpose(0, 2, 1, 3)


def _shares(q: Tensor, k: Tensor, **options: Any) -> Tensor:
    """The shares that attention gives.  (B, H, T, K), (B, G, S, K) -> (B, H, T, S)

    The readable attention tells them, with the rows of an identity for values: their mean is the shares themselves.
    """
    batch, groups, source, _ = k.shape
    xp = namespace(k.data)
    identity = xp.broadcast_to(xp.eye(source, dtype=k.dtype), (batch, groups, source, source))
    return ops.composed.attention(q, k, Tensor(identity.copy()), **options)


def _seen(mask: Any, source: Tensor) -> Any:
    """(B, S) as it is broadcast to all heads and queries, (B, 1, 1, S)."""
    if mask is None:
        return None
    mask = beside(as_array(mask), source.data)
    if mask.dtype.kind != "b":
        raise DtypeError("mask", "booleans, true where there is a word", mask.dtype, "Write tokens != pad.")
    check_shape("mask", mask, "BS", "It is of the source, not of what asks.", B=source.shape[0], S=source.shape[1])
    return mask[:, None, None, :]
