"""Attention: each position asks (query), every position offers (key), and the answer is a mean of values.

The readable form is `composed.attention`: four lines. Here the same function is fused, in one of three ways:

* `attention_blocks`  on the CPU, in blocks that skip what lies above the diagonal;
* `attention_flash`   on a GPU, by kernels that never hold the (T, S) scores in memory;
* `attention_plain`   on a GPU, for what those kernels were not made for: masks, large heads, float64.

Source: Vaswani et al., "Attention Is All You Need", 2017; grouped heads: Ainslie et al., "GQA", 2023.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, DeviceStream, beside, fused, is_half, namespace
from tinygrad_llm.errors import DtypeError, ShapeError
from tinygrad_llm.ops.attention_blocks import BlockedAttention
from tinygrad_llm.ops.attention_flash import FlashAttention
from tinygrad_llm.ops.attention_plain import PlainAttention
from tinygrad_llm.ops.dropout import check_probability, keep_mask


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
    core = _core(q_BGRTK, k_BGSK, v_BGSK, mask, causal, scale, p, rng)
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
    core = _core(as_groups(q), k, v, None, causal, scale, p, rng)
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


def _core(q: Array, k: Array, v: Array, mask: Any, causal: bool, scale: float | None, p: float, rng: Any) -> Any:
    """The way that this call takes: an object with `forward(out)` and `backward(g, dq, dk, dv, needs_mask)`."""
    check_probability("p", p)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale)
    rng = rng if p > 0 else None
    kernels = fused(q)
    if kernels is not None and mask is None and isinstance(rng, DeviceStream | None) and scale > 0:
        if kernels.flash_supports(q.reshape(q.shape[0], -1, *q.shape[3:]), k, v):
            return FlashAttention(kernels, q, k, v, causal, scale, p, rng)
    grouped = (*q.shape[:4], k.shape[2])  # (B, G, R, T, S)
    full = (grouped[0], grouped[1] * grouped[2], *grouped[3:])  # (B, H, T, S)
    drop = None if rng is None else beside(keep_mask(full, p, rng, _precise(q.dtype)), q).reshape(grouped)
    mask = None if mask is None else _mask_of(mask, q, full).reshape(grouped)
    way = BlockedAttention if type(q) is np.ndarray and not is_half(q.dtype) else PlainAttention
    return way(q, k, v, mask, causal, scale, drop)


def _precise(dtype: Any) -> Any:
    """What bfloat16 is computed in where no kernel does it: float32."""
    return np.float32 if is_half(dtype) else dtype


def _mask_of(mask: Any, q: Array, full: tuple[int, ...]) -> Array:
    """The mask, broadcast to (B, H, T, S)."""
    if mask.dtype.kind != "b" and mask.dtype != q.dtype:
        raise DtypeError("mask", f"bool or {q.dtype}", mask.dtype)
    try:
        return namespace(q).broadcast_to(mask, full)
    except ValueError as error:
        raise ShapeError("mask", f"broadcastable to (B, H, T, S) = {full}", mask.shape) from error
