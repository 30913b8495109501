"""Attention on the GPU without a T x S matrix in memory: which kernel, how many blocks, how much shared memory.

The kernels are `kernels/attention_*.cu`; `kernels/attention_common.cuh` explains them. Here is only the arithmetic of a
launch, so that it runs, and is tested, without a GPU: `launch(file, kernel, grid, block, args, shared_bytes)` is given.
Arrays may be views, as long as their last axis is contiguous: every kernel takes their strides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.errors import ArgumentError

THREADS = 128
HEADS = (32, 64, 128)
"""Head sizes for which there is a kernel: any other is taken for the next of them, with zeros."""
UNLIMITED = 1 << 29
"""The window where there is none, as the kernels have it."""
DELTA_ROWS = 16
"""Rows a block of `attention_delta`."""
HOPPER_ROWS = 64
"""Rows that four warps of a Hopper kernel own, and those of a tile."""

Launch = Callable[..., None]


@dataclass(frozen=True)
class Tiles:
    """How a kernel divides its work: `own` rows of its side a block, tiles of `other` rows. The .cu says the same."""

    own: int
    other: int
    shared_bytes: int


def flash_supports(q: Array, k: Array, v: Array) -> bool:
    """Whether the kernels take these arrays: float32 or bfloat16, one head size of at most 128, last axis contiguous.

    bfloat16 needs tensor cores besides, sm_80 or later: that is the device's affair.
    """
    return all(
        x.ndim == 4
        and x.dtype == q.dtype
        and x.dtype.name in ("float32", "bfloat16")
        and 1 <= x.shape[3] == q.shape[3] <= HEADS[-1]
        and (x.strides[3] == x.itemsize or x.shape[3] == 1)
        for x in (q, k, v)
    )


def flash_forward(
    launch: Launch,
    q: Array,
    k: Array,
    v: Array,
    out: Array,
    lse: Array,
    *,
    causal: bool,
    scale: float,
    lengths: Array | None = None,
    window: int | None = None,
    p: float = 0.0,
    counter: Array | None = None,
    call: int = 0,
    hopper: bool = False,
) -> None:
    """Writes softmax(scale q k^T) v into `out`, (B, H, T, K), and the rows' ln sum exp into `lse`, (B, H, T) float32.

    q (B, H, T, K), k and v (B, G, S, K). `lse` is +infinity where a query sees no key. `lengths`, (B,) int32 on the
    device, is how many keys each example has; `window`, with causal alone, how many of them a query sees. With p > 0
    and `counter`, two unsigned 64-bit integers on the device (seed, step), weights are dropped; `call` tells apart the
    attentions of one step. `flash_backward` must be given the same. With `hopper`, bfloat16 is multiplied by the
    instructions that sm_90 alone has. Raises ArgumentError for a scale that is not positive.
    """
    dropout = p > 0 and counter is not None
    form, head = _form(q, hopper)
    tiles = forward_tiles(form, head, dropout)
    grid = _blocks(q, tiles)
    if grid:
        file = f"attention_forward_{form}"
        kernel = f"{file}_{head}" + _suffix(form, dropout)
        drop = (p, counter if dropout else None, call)
        args = (*_arrays(q, k, v, out), lse, *_options(q, k, causal, scale, lengths, window, drop))
        launch(file, kernel, grid, THREADS, args, tiles.shared_bytes)


def flash_backward(
    launch: Launch,
    q: Array,
    k: Array,
    v: Array,
    out: Array,
    lse: Array,
    g: Array,
    dq: Array,
    dk: Array,
    dv: Array,
    *,
    delta: Array,
    causal: bool,
    scale: float,
    lengths: Array | None = None,
    window: int | None = None,
    p: float = 0.0,
    counter: Array | None = None,
    call: int = 0,
    hopper: bool = False,
) -> None:
    """Writes the gradients of q, k and v, given g, that of `out`, and what `flash_forward` wrote.

    `delta`, (B, H, T) float32, is room for the sums of g out. Every element of dq, dk and dv is written once, summed in
    the same order each time: the same inputs give the same bits.
    """
    dropout = p > 0 and counter is not None
    form, head = _form(q, hopper)
    batch, heads, time, size = q.shape
    rows = batch * heads * time
    if rows:
        args = (*_arrays(out, g), delta, *map(np.int32, (batch, heads, time, size)))
        launch("attention_delta", f"attention_delta_{q.dtype.name}", -(-rows // DELTA_ROWS), THREADS, args)
    drop = (p, counter if dropout else None, call)
    options = (lse, delta, *_options(q, k, causal, scale, lengths, window, drop))
    file = f"attention_backward_{form}"
    for side, over, results in (("keys", k, (dk, dv)), ("queries", q, (dq,))):
        tiles = backward_tiles(form, head, dropout, side)
        grid = _blocks(over, tiles)
        if grid:
            kernel = f"attention_backward_{side}_{form}_{head}" + _suffix(form, dropout)
            launch(file, kernel, grid, THREADS, (*_arrays(q, k, v, g, *results), *options), tiles.shared_bytes)


def forward_tiles(form: str, head: int, dropout: bool) -> Tiles:
    """The tiles of `attention_forward` of a form: queries are its own side."""
    if form == "float32":
        own, other = _float32_tiles(head)
        return Tiles(own, other, 4 * ((own + 2 * other) * (head + 4) + own * (other + 4)))
    if form == "hopper":  # three tiles, and the queries
        return Tiles(HOPPER_ROWS, HOPPER_ROWS, 2 * 4 * HOPPER_ROWS * head)
    # three tiles; the queries, which are as many rows or more, lie where the third will be until they are in registers
    own, other = 128 if head <= 64 else 64, 32 if dropout else 64
    return Tiles(own, other, 2 * (2 * other + own) * (head + 8))


def backward_tiles(form: str, head: int, dropout: bool, side: str) -> Tiles:
    """The tiles of `attention_backward_<side>` of a form, "keys" or "queries"."""
    if form == "float32":
        own, other = _float32_tiles(head)
        statistics = 2 * other if side == "keys" else 0
        return Tiles(own, other, 4 * (2 * (own + other) * (head + 4) + own * (other + 4) + statistics))
    if form == "hopper":
        own, other, width = HOPPER_ROWS, HOPPER_ROWS, head
    else:
        own, other = (64, 32) if head > 64 else (64, 64) if dropout else (128, 32)
        width = head + 8
    statistics = 4 * other if side == "keys" else 0
    return Tiles(own, other, 2 * (2 * own + 4 * other) * width + 4 * statistics)


def _float32_tiles(head: int) -> tuple[int, int]:
    return (64, 32) if head <= 64 else (32, 16)


def _form(q: Array, hopper: bool) -> tuple[str, int]:
    """Which form of the kernels, and for which head size: Hopper's have none of 32."""
    hopper = hopper and q.dtype.name == "bfloat16"
    head = next(head for head in HEADS if q.shape[3] <= head)
    return ("hopper", max(64, head)) if hopper else (q.dtype.name, head)


def _suffix(form: str, dropout: bool) -> str:
    return "_dropout" if dropout and form != "float32" else ""


def _blocks(x: Array, tiles: Tiles) -> int:
    return x.shape[0] * x.shape[1] * -(-x.shape[2] // tiles.own)


def _arrays(*arrays: Array) -> list[Any]:
    """Each array and its strides: of a batch, a head, a position."""
    return [value for x in arrays for value in (x, *_strides(x.strides, x.itemsize))]


@functools.lru_cache(maxsize=256)
def _strides(strides: tuple[int, ...], itemsize: int) -> tuple[np.int64, ...]:
    return tuple(np.int64(stride // itemsize) for stride in strides[:3])


def _options(
    q: Array, k: Array, causal: bool, scale: float, lengths: Array | None, window: int | None, drop: tuple
) -> tuple:
    if not scale > 0:
        raise ArgumentError("scale", "a positive number", scale)
    (batch, heads, time, size), (p, counter, call) = q.shape, drop
    sizes = (batch, heads, k.shape[1], time, k.shape[2], size, window or UNLIMITED, bool(causal))
    return (lengths, *map(np.int32, sizes), np.float32(scale), np.float32(p), counter, np.int32(call))
