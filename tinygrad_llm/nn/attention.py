"""Multi-head attention: the part of a transformer block in which positions exchange information.

Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2; grouped heads: Ainslie et al., "GQA", 2023;
sliding window: Jiang et al., "Mistral 7B", 2023; rotary positions: Su et al., "RoFormer", 2021; norms of queries and
keys: Dehghani et al., "Scaling Vision Transformers to 22 Billion Parameters", 2023, section 2; per head: Qwen3, 2025.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_array, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_llm.nn.cache import CrossCache, LayerCache
from tinygrad_llm.nn.layers import Dropout, Linear, RMSNorm, Rng
from tinygrad_llm.nn.module import Module
from tinygrad_llm.nn.position import rotate
from tinygrad_llm.nn.rope_scaling import RopeScaling
from tinygrad_llm.ranges import check_whole


class Attention(Module):
    """o_proj(softmax(q k^T / sqrt(K)) v) with q = q_proj(x), k = k_proj(source), v = v_proj(source).

    x (B, T, D), source (B, S, D_s) -> (B, T, D).  Without a source it is self-attention: x is its own.

    n_head        H heads of queries, of size K = D / H or `head_size`.
    n_kv_head     G heads of keys and values, H where None; each serves H/G heads of queries.
    value_size    J, the size of a head's values; K where None.
    source_width  D_s, the width of the source; D where None.
    causal        position t sees the positions up to its own; `window`: the last so many of them alone.
    rope_base     queries and keys are rotated by their positions with this base; None leaves positions to others.
    rope_scaling  of the frequencies of that, for texts longer than those of the training.
    qk_norm       epsilon of an RMSNorm over each head of queries and of keys, before they are rotated; None has none.
    softcap       bounds the scores: c tanh(score / c).
    bias          of q_proj, k_proj, v_proj; out_bias of o_proj, as bias where None.

    The three projections are parameters of their own, declared side by side: where they lie side by side in memory
    (in an optimizer's flat storage) one product makes all three.
    """

    def __init__(
        self,
        width: int,
        n_head: int,
        n_kv_head: int | None = None,
        *,
        rng: np.random.Generator,
        head_size: int | None = None,
        value_size: int | None = None,
        source_width: int | None = None,
        causal: bool = False,
        window: int | None = None,
        rope_base: float | None = None,
        rope_scaling: RopeScaling | None = None,
        qk_norm: float | None = None,
        softcap: float | None = None,
        bias: bool = True,
        out_bias: bool | None = None,
        dropout: float = 0.0,
        std: float | None = None,
        out_std: float | None = None,
        dtype: Any = np.float32,
    ) -> None:
        n_kv_head = n_head if n_kv_head is None else n_kv_head
        check_whole(width=width, n_head=n_head, n_kv_head=n_kv_head)
        if head_size is None and width % n_head:
            raise ArgumentError("n_head", f"a divisor of the width {width}", n_head)
        if n_head % n_kv_head:
            raise ArgumentError("n_kv_head", f"a divisor of the {n_head} heads", n_kv_head)
        self.n_head, self.n_kv_head = n_head, n_kv_head
        self.head_size = width // n_head if head_size is None else head_size
        self.value_size = self.head_size if value_size is None else value_size
        self.causal, self.window, self.rope_base, self.softcap = causal, window, rope_base, softcap
        self.rope_scaling = rope_scaling
        source_width = width if source_width is None else source_width
        make: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.q_proj = Linear(width, n_head * self.head_size, bias, std=std, **make)
        self.k_proj = Linear(source_width, n_kv_head * self.head_size, bias, std=std, **make)
        self.v_proj = Linear(source_width, n_kv_head * self.value_size, bias, std=std, **make)
        self.o_proj = Linear(
            n_head * self.value_size, width, bias if out_bias is None else out_bias, std=out_std, **make
        )
        self.q_norm = self.k_norm = None
        if qk_norm is not None:
            self.q_norm = RMSNorm(self.head_size, eps=qk_norm, dtype=dtype)
            self.k_norm = RMSNorm(self.head_size, eps=qk_norm, dtype=dtype)
        self.dropout = Dropout(dropout)

    def __call__(
        self,
        x: Tensor,
        source: Tensor | None = None,
        *,
        mask: Any = None,
        lengths: Any = None,
        positions: Any = None,
        cache: LayerCache | CrossCache | None = None,
        rng: Rng | None = None,
    ) -> Tensor:
        """The attended values, projected.  (B, T, D), (B, S, D_s) -> (B, T, D)

        mask       booleans, true where a key may be seen, (B, S) or (B, 1 or H, T, S); or numbers (B, 1 or H, T, S)
                   that are added to the scores.
        lengths    (B,) integers: how many positions of the source each example has, the rest being padding at its
                   right; the same on the fast path.
        positions  (T,) or (B, T): where x stands, for rotary positions; 0 to T - 1, or what follows the cache.
        cache      self-attention: keys and values of what came before, to which those of x are added. Cross-attention:
                   keys and values of the source, made once.

        Raises ShapeError or DtypeError for a mask that is not that.
        """
        if self._packs(source, mask, cache):
            y = self._packed_attention(x, lengths, rng)
        else:
            q, k, v, lengths = self._heads(x, source, lengths, positions, cache)
            options = self._options(source, mask, lengths, k)
            y = _joined(ops.attention(q, k, v, **self._dropped(rng), **options))
        return self.dropout(self.o_proj(y), rng)

    def weights(
        self, x: Tensor, source: Tensor | None = None, *, mask: Any = None, lengths: Any = None, positions: Any = None
    ) -> Tensor:
        """The attention weights themselves, without dropout.  (B, T, D), (B, S, D_s) -> (B, H, T, S)"""
        q, k, _, _ = self._heads(x, source, lengths, positions, None)
        batch, groups, size, _ = k.shape
        xp = namespace(k.data)
        identity = xp.broadcast_to(xp.eye(size, dtype=k.dtype), (batch, groups, size, size))  # values that are e_s
        return ops.composed.attention(
            q, k, Tensor.result(identity.copy(), None, None), **self._options(source, mask, lengths, k)
        )

    def _packs(self, source: Any, mask: Any, cache: Any) -> bool:
        """Whether this call is self-attention of queries, keys and values that one product makes."""
        simple = source is None and mask is None and cache is None and self.rope_base is None and self.q_norm is None
        return simple and self.value_size == self.head_size and self._are_linear()

    def _are_linear(self) -> bool:
        """Whether none of the three projections has been replaced by another module."""
        return type(self.q_proj) is Linear and type(self.k_proj) is Linear and type(self.v_proj) is Linear

    def _packed_attention(self, x: Tensor, lengths: Any, rng: Rng | None) -> Tensor:
        heads = {"n_head": self.n_head, "n_kv_head": self.n_kv_head}
        options = {"causal": self.causal, "window": self.window, "softcap": self.softcap, "lengths": lengths}
        qkv = _joint(x, self.q_proj, self.k_proj, self.v_proj)
        return ops.packed_attention(qkv, **self._dropped(rng), **heads, **options)

    def _dropped(self, rng: Rng | None) -> dict[str, Any]:
        """Dropout of the weights, active exactly when an rng is given."""
        return {} if rng is None else {"p": self.dropout.p, "rng": rng}

    def _options(self, source: Any, mask: Any, lengths: Any, k: Tensor) -> dict[str, Any]:
        return {
            "mask": _visible_keys(mask, k),
            "lengths": lengths,
            "causal": self.causal and source is None,
            "window": self.window if source is None else None,
            "softcap": self.softcap,
        }

    def _heads(self, x: Tensor, source: Any, lengths: Any, positions: Any, cache: Any) -> tuple:
        """Queries (B, H, T, K), keys (B, G, S, K), values (B, G, S, J), and how many keys each example has."""
        if source is not None:
            q = _normed(_split(self.q_proj(x), self.n_head), self.q_norm)
            if cache is None:
                return q, *self._keys_and_values(source), lengths
            return q, *cache.fill(lambda: self._keys_and_values(source), lengths)
        if self._are_linear():
            sizes = [self.n_head * self.head_size, self.n_kv_head * self.head_size, self.n_kv_head * self.value_size]
            parts: Any = ops.split(_joint(x, self.q_proj, self.k_proj, self.v_proj), sizes)
        else:
            parts = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        q, k, v = (_split(part, n) for part, n in zip(parts, (self.n_head, self.n_kv_head, self.n_kv_head)))
        q, k = _normed(q, self.q_norm), _normed(k, self.k_norm)
        if self.rope_base is not None:
            if positions is None:
                positions = np.arange(x.shape[1]) if cache is None else cache.cache.positions(x.shape[1])
            q, k = (rotate(t, positions, self.rope_base, self.rope_scaling) for t in (q, k))
        if cache is not None:
            k, v, lengths = cache.extend(k, v)
        return q, k, v, lengths

    def _keys_and_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        k = _normed(_split(self.k_proj(source), self.n_kv_head), self.k_norm)
        return k, _split(self.v_proj(source), self.n_kv_head)


def _joint(x: Tensor, *layers: Linear) -> Tensor:
    """What the layers make of x, side by side, in one product."""
    biases = [layer.bias for layer in layers if layer.bias is not None]
    return ops.joint_linear(x, *[layer.weight for layer in layers], *biases)


def _normed(x: Tensor, norm: RMSNorm | None) -> Tensor:
    """(B, H, T, K), each head's vector by itself"""
    return x if norm is None else norm(x)


def _split(x: Tensor, n_head: int) -> Tensor:
    """(B, T, H K) -> (B, H, T, K)"""
    batch, time, width = x.shape
    return x.reshape(batch, time, n_head, width // n_head).transpose(0, 2, 1, 3)


def _joined(x: Tensor) -> Tensor:
    """(B, H, T, K) -> (B, T, H K)"""
    batch, heads, time, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, time, heads * size)


def _visible_keys(mask: Any, k: Tensor) -> Any:
    """The mask as it broadcasts to (B, H, T, S); of keys (B, S) or of pairs."""
    if mask is None:
        return None
    if isinstance(mask, Tensor) and mask.requires_grad:
        return mask
    mask = to_device_of(as_array(mask.data if isinstance(mask, Tensor) else mask), k.data)
    if mask.ndim == 4:
        return mask
    if mask.dtype.kind != "b":
        raise DtypeError("mask", "booleans, true where there is a token", mask.dtype, "Write tokens != pad.")
    wanted = (k.shape[0], k.shape[2])
    if mask.shape != wanted:
        raise ShapeError("mask", f"(B, S) = {wanted}, or four axes", mask.shape, "It is of the keys, not the queries.")
    return mask[:, None, None, :]
