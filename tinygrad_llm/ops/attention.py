"""Attention: of each query, a mean of values, weighted by how well the query matches the keys.

The readable form is `composed.attention`. Here the same function is fused, in one of three ways:

* `attention_blocks`  on the CPU, in blocks that skip what no query may see;
* `attention_flash`   on a GPU, by kernels that never hold the (T, S) scores in memory;
* `attention_plain`   on a GPU, for what those kernels were not made for: masks, large heads, float64.

Source: Vaswani et al., "Attention Is All You Need", 2017; grouped heads: Ainslie et al., "GQA", 2023.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, DeviceStream, fused, is_half, namespace, positions, to_device_of
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_llm.ops.attention_blocks import BlockedAttention
from tinygrad_llm.ops.attention_flash import FlashAttention
from tinygrad_llm.ops.attention_plain import PlainAttention
from tinygrad_llm.ops.dropout import check_probability, keep_mask


@op(integers="refuse")
def attention(
    q, k, v, mask: Array | None = None,
    lengths=None, causal=False, window=None, scale=None, softcap=None, p=0.0, rng=None,
):  # fmt: skip
    """softmax(scale q k^T + mask) v.  (B, H, T, K), (B, G, S, K), (B, G, S, J) -> (B, H, T, J)

    G heads of keys and values serve H heads of queries, H a multiple of G, each H/G neighbours.
    mask     booleans, true where a query may see a key, or numbers added to the scores; broadcast to (B, H, T, S).
    lengths  (B,) integers: example b has lengths[b] keys, what stands behind them is padding; S where None.
    causal   query t sees the keys up to t + lengths[b] - T: the last query sees all, as with a cache of earlier keys.
    window   with causal: of those keys a query sees the last `window` alone (Mistral 7B, 2023, section 2).
    scale    1/sqrt(K) where None, which keeps the scores' variance at 1.
    softcap  c: scores become c tanh(scores / c) before the mask (Gemma 2, 2024, section 2).
    p, rng   dropout on the weights.

    A query that may see no key gives 0. Results and gradients lie in memory as (B, T, H, J), as linear layers want it.
    """
    q_BGRTK, k_BGSK, v_BGSJ = _grouped(q, k, v)
    out = _by_position(q, v.shape[-1])
    core = _core(q_BGRTK, k_BGSK, v_BGSJ, mask, causal, scale, p, rng, lengths, window, softcap)
    core.forward(out.reshape(*q_BGRTK.shape[:-1], v.shape[-1]))

    def vjp(g, needs):
        dq, dk, dv = (_by_position(x, x.shape[-1]) for x in (q, k, v))
        shape = (*q_BGRTK.shape[:-1], g.shape[-1])
        dmask = core.backward(g.reshape(shape), dq.reshape(q_BGRTK.shape), dk, dv, needs[3])
        return dq, dk, dv, dmask

    return out, vjp


@op(integers="refuse")
def packed_attention(
    qkv, n_head=1, n_kv_head=None, lengths=None, causal=True, window=None, scale=None, softcap=None, p=0.0, rng=None
):
    """`attention` on queries, keys and values that lie side by side, as `joint_linear` makes them.

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
    core = _core(as_groups(q), k, v, None, causal, scale, p, rng, lengths, window, softcap)
    core.forward(out_BGRTK)

    def vjp(g, needs):
        d = xp.empty(qkv.shape, qkv.dtype)
        dq, dk, dv = parts(d)
        core.backward(as_groups(heads(g, 0, n_head)), as_groups(dq), dk, dv, False)
        return d

    return out, vjp


def _by_position(x_BHTK: Array, size: int) -> Array:
    """Room for (B, H, T, size), of which a position's heads lie side by side in memory."""
    batch, heads, time, _ = x_BHTK.shape
    return namespace(x_BHTK).empty((batch, time, heads, size), x_BHTK.dtype).transpose(0, 2, 1, 3)


def _grouped(q: Array, k: Array, v: Array) -> tuple[Array, Array, Array]:
    """q with its heads in G groups of R: (B, G, R, T, K).  Raises ShapeError where the three do not fit."""
    for name, x in (("q", q), ("k", k), ("v", v)):
        if x.ndim != 4:
            raise ShapeError(name, "(B, heads, positions, K)", x.shape)
    batch, heads, time, size = q.shape
    groups = k.shape[1]
    if k.shape[:3] != v.shape[:3] or k.shape[0] != batch or k.shape[3] != size or not groups or heads % groups:
        wanted = f"(B, G, S, K) and (B, G, S, J) with B = {batch}, K = {size}, H = {heads} a multiple of G"
        raise ShapeError("k and v", wanted, f"{k.shape} and {v.shape}")
    return q.reshape(batch, groups, heads // groups, time, size), k, v


def _core(
    q: Array, k: Array, v: Array, mask: Any, causal: bool, scale: float | None, p: float, rng: Any,
    lengths: Any, window: int | None, softcap: float | None,
) -> Any:  # fmt: skip
    """The way that this call takes: an object with `forward(out)` and `backward(g, dq, dk, dv, needs_mask)`."""
    if not q.shape[-1]:
        raise ShapeError("q", "a head size of at least 1", "0", "Scores are products of queries and keys.")
    check_probability("p", p)
    if p > 0 and rng is None:
        raise ArgumentError("rng", "a generator, for dropout of the weights", "None", "Pass rng=, or leave p out.")
    _check_options(causal, window, softcap)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale)
    rng = rng if p > 0 else None
    lengths = None if lengths is None else _checked_lengths(lengths, q, k)
    options: dict[str, Any] = {"lengths": lengths, "window": window}
    kernels = fused(q)
    if kernels is not None and mask is None and isinstance(rng, DeviceStream | None) and scale > 0 and softcap is None:
        if kernels.flash_supports(q.reshape(q.shape[0], -1, *q.shape[3:]), k, v):
            return FlashAttention(kernels, q, k, v, causal, scale, p, rng, **options)
    grouped = (*q.shape[:4], k.shape[2])  # (B, G, R, T, S)
    full = (grouped[0], grouped[1] * grouped[2], *grouped[3:])  # (B, H, T, S)
    drop = None if rng is None else to_device_of(keep_mask(full, p, rng, _precise(q.dtype)), q).reshape(grouped)
    mask = None if mask is None else _mask_of(mask, q, full).reshape(grouped)
    way = BlockedAttention if type(q) is np.ndarray and not is_half(q.dtype) else PlainAttention
    return way(q, k, v, mask, causal, scale, drop, softcap=softcap, **options)


def _check_options(causal: bool, window: int | None, softcap: float | None) -> None:
    if window is not None and (window < 1 or not causal):
        got = f"{window}" if causal else f"{window} without causal"
        raise ArgumentError("window", "at least 1 key, of causal attention", got)
    if softcap is not None and not 0 < softcap < math.inf:
        raise ArgumentError("softcap", "a positive number, or None", softcap)


def _checked_lengths(lengths: Any, q: Array, k: Array) -> Array:
    """(B,) integers on q's device; their range is checked where they are on the host."""
    batch, source = q.shape[0], k.shape[2]
    lengths = lengths if hasattr(lengths, "dtype") else positions(lengths)
    if lengths.shape != (batch,):
        raise ShapeError("lengths", f"(B,) = ({batch},), how many keys each example has", lengths.shape)
    if lengths.dtype.kind not in "iu":
        raise DtypeError("lengths", "integers", lengths.dtype)
    if type(lengths) is np.ndarray and batch and not 0 <= lengths.min() <= lengths.max() <= source:
        raise ArgumentError("lengths", f"0 to S = {source} keys", f"{lengths.min()} to {lengths.max()}")
    return to_device_of(lengths, q)


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
