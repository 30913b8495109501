"""The fused kernels as functions on arrays, each the twin of the readable operation of the same name in `ops`.

Those that stand for a whole operation return its value and its derivative, like the operation itself. Nothing here
waits for the GPU. Sizes of grids and blocks are explained where the kernels are, in `kernels/*.cu`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinygrad_llm.backend import flash
from tinygrad_llm.backend.arrays import Array
from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.backend.launch import is_hopper, launch

BLOCK = 256
"""Threads a block where nothing asks for another number."""
WAVES = 8
"""Blocks a multiprocessor in a grid whose threads take one piece of work after the other."""

int32, int64, float32 = np.int32, np.int64, np.float32
flash_supports = flash.flash_supports


@cache
def multiprocessors() -> int:
    """How many of them the GPU has: an H100 132."""
    return int(load_cupy().cuda.Device().attributes["MultiProcessorCount"])


def flash_forward(*arrays: Array, **options: Any) -> None:
    """`flash.flash_forward` by the kernels of the GPU that is there."""
    flash.flash_forward(launch, *arrays, **options, hopper=is_hopper())


def flash_backward(*arrays: Array, **options: Any) -> None:
    """`flash.flash_backward` by the kernels of the GPU that is there."""
    flash.flash_backward(launch, *arrays, **options, hopper=is_hopper())


def _grid(threads: int) -> int:
    """Blocks enough for so many threads, but no more than keep the GPU busy."""
    return max(1, min(math.ceil(threads / BLOCK), WAVES * multiprocessors()))


def _contiguous(x: Array) -> Array:
    return x if x.flags.c_contiguous else load_cupy().ascontiguousarray(x)  # which gives a number an axis


def _rows(x: Array) -> tuple[Array, int, int]:
    """x as rows of its last axis, how many, and how wide."""
    width = x.shape[-1]
    return _contiguous(x), x.size // max(1, width), width


def _lines(x_NV: Array) -> tuple[Array, int, int, int]:
    """x as rows that may lie apart, how many, how wide, and how many entries lie from one's beginning to the next's."""
    x_NV = x_NV if x_NV.strides[1] == x_NV.itemsize else _contiguous(x_NV)
    return x_NV, *x_NV.shape, x_NV.strides[0] // x_NV.itemsize


def _name(kernel: str, x: Array) -> str:
    return f"{kernel}_{x.dtype.name}"


# ---- entry by entry -------------------------------------------------------------------------------------------------


def _each(file: str, kernel: str, n: int, *args: Any) -> None:
    """A kernel whose threads take 16 bytes at a time, entry after entry."""
    if n:
        launch(file, kernel, _grid(math.ceil(n / 4)), BLOCK, args)


def add(a: Array, b: Array, out: Array | None) -> Array:
    """a + b, contiguous arrays of one shape, into `out` or a new array."""
    y = load_cupy().empty(a.shape, a.dtype) if out is None else out
    _each("elementwise", _name("add", a), a.size, a, b, y, int64(a.size))
    return y


def cast(x: Array, dtype: Any) -> Array:
    """A contiguous float32 x in bfloat16, or the other way round."""
    y = load_cupy().empty(x.shape, dtype)
    _each("elementwise", _name("to", y), x.size, x, y, int64(x.size))
    return y


def activation(kind: str, x: Array) -> tuple[Array, Callable]:
    """gelu_tanh, gelu_erf or silu of x, and its derivative."""
    xp, x = load_cupy(), _contiguous(x)
    y, n = xp.empty(x.shape, x.dtype), int64(x.size)
    _each("activation", _name(f"{kind}_forward", x), x.size, x, y, n)

    def vjp(g: Array, needs: Any) -> Array:
        dx = xp.empty(x.shape, x.dtype)
        _each("activation", _name(f"{kind}_backward", x), x.size, _contiguous(g), x, dx, n)
        return dx

    return y, vjp


def swiglu(gate: Array, up: Array) -> tuple[Array, Callable]:
    """silu(gate) * up, and its derivative."""
    xp, gate, up = load_cupy(), _contiguous(gate), _contiguous(up)
    y, n = xp.empty(gate.shape, gate.dtype), int64(gate.size)
    _each("activation", _name("swiglu_forward", gate), gate.size, gate, up, y, n)

    def vjp(g: Array, needs: Any) -> tuple:
        dgate, dup = (xp.empty(gate.shape, gate.dtype) if need else None for need in needs)
        _each("activation", _name("swiglu_backward", gate), gate.size, _contiguous(g), gate, up, dgate, dup, n)
        return dgate, dup

    return y, vjp


def add_bias(y_NO: Array, bias: Array) -> None:
    """y += bias in every row, in place."""
    rows, width = y_NO.shape
    _each("elementwise", _name("add_bias", y_NO), y_NO.size, y_NO, bias, int64(rows), int32(width))


def dropout(x: Array, p: float, rng: Any) -> tuple[Array, Callable]:
    """x times 0 or 1/(1-p), drawn anew on the way back from the same counter: no mask is kept."""
    xp, call = load_cupy(), rng.next_call()
    n, per_example = x.size, x.size // max(1, len(x))

    def dropped(x: Array) -> Array:
        x = _contiguous(x)
        y = xp.empty(x.shape, x.dtype)
        counted = int64(n), int64(per_example), float32(p), rng.counter, int32(call), int32(rng.first_example)
        _each("dropout", _name("dropout", x), n, x, y, *counted)
        return y

    return dropped(x), lambda g, needs: dropped(g)


def uniform(size: tuple[int, ...], rng: Any) -> Array:
    """The numbers in [0, 1) that dropout compares with p.  size = (examples, ...), float32"""
    u = load_cupy().empty(size, float32)
    counted = int64(u.size // max(1, size[0])), rng.counter, int32(rng.next_call()), int32(rng.first_example)
    _each("dropout", "uniform", u.size, u, int64(u.size), *counted)
    return u


def rope(x: Array, cos: Array, sin: Array) -> tuple[Array, Callable]:
    """Each pair turned by its angle, and turned back."""
    xp, (time, size) = load_cupy(), x.shape[-2:]
    cos, sin = _contiguous(cos), _contiguous(sin)

    def turned(x: Array, sign: float) -> Array:
        x = _contiguous(x)
        y, outer = xp.empty(x.shape, x.dtype), x.size // max(1, time * size)
        shape = int64(outer), int32(time), int32(size), float32(sign)
        _each("rope", _name("rope", x), x.size, x, cos, sin, y, *shape)
        return y

    return turned(x, 1.0), lambda g, needs: turned(g, -1.0)


# ---- row by row -----------------------------------------------------------------------------------------------------


def _row_block(width: int) -> int:
    """Threads for a row: a warp where it is short, twice as many as usual where it is a large vocabulary."""
    return 32 if width <= 128 else BLOCK if width <= 4096 else 2 * BLOCK


def normalized(kind: str, x: Array) -> tuple[Array, Callable]:
    """softmax or log_softmax over the last axis, and its derivative."""
    xp, (x, rows, width) = load_cupy(), _rows(x)
    y, block = xp.empty(x.shape, x.dtype), _row_block(width)
    if rows:
        launch("softmax", _name(f"{kind}_forward", x), rows, block, (x, y, int32(rows), int32(width)))

    def vjp(g: Array, needs: Any) -> Array:
        dx = xp.empty(x.shape, x.dtype)
        args = _contiguous(g), y, dx, int32(rows), int32(width)
        if rows:
            launch("softmax", _name(f"{kind}_backward", x), rows, block, args)
        return dx

    return y, vjp


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Callable]:
    """(x - mean) / sqrt(var + eps) * w + b, and its derivative; vjp(g, needs, so_far) adds `so_far`, if any, to dx."""
    xp, shape, (x, rows, width) = load_cupy(), x.shape, _rows(x)
    y, mean, rstd = xp.empty(shape, x.dtype), xp.empty(rows, float32), xp.empty(rows, float32)
    sizes = int32(rows), int32(width)
    if x.size:
        args = x, weight, bias, y, mean, rstd, *sizes, float32(eps)
        launch("norm", _name("layer_norm_forward", x), _teams(x, rows), BLOCK, args)

    def vjp(g: Array, needs: Any, so_far: Array | None) -> tuple:
        dx, parts = xp.empty(shape, x.dtype), _parts(rows)
        dw, db = (xp.empty((parts, width), float32) if need else None for need in needs[1:])
        before = None if so_far is None else _contiguous(so_far)
        args = _contiguous(g), x, weight, mean, rstd, before, dx, dw, db, *sizes
        if x.size:
            launch("norm", _name("layer_norm_backward", x), parts, BLOCK, args)
        return dx, *(None if d is None else sum_rows(d) for d in (dw, db))

    return y, vjp


def rms_norm(x: Array, weight: Array | None, eps: float) -> tuple[Array, Callable]:
    """x / sqrt(mean(x^2) + eps) * w, and its derivative, as that of layer_norm."""
    xp, shape, (x, rows, width) = load_cupy(), x.shape, _rows(x)
    y, rstd = xp.empty(shape, x.dtype), xp.empty(rows, float32)
    sizes = int32(rows), int32(width)
    if x.size:
        args = x, weight, y, rstd, *sizes, float32(eps)
        launch("norm", _name("rms_norm_forward", x), _teams(x, rows), BLOCK, args)

    def vjp(g: Array, needs: Any, so_far: Array | None) -> tuple:
        dx, parts = xp.empty(shape, x.dtype), _parts(rows)
        dw = xp.empty((parts, width), float32) if needs[1] else None
        before = None if so_far is None else _contiguous(so_far)
        if x.size:
            args = _contiguous(g), x, weight, rstd, before, dx, dw, *sizes
            launch("norm", _name("rms_norm_backward", x), parts, BLOCK, args)
        return dx, None if dw is None else sum_rows(dw)

    return y, vjp


SHORT_ROW = 1024
"""Up to here a warp holds a whole row of a norm in registers, and a block serves one row a warp."""


def _teams(x: Array, rows: int) -> int:
    """Blocks so that each team of threads has a row."""
    return math.ceil(rows / (BLOCK // 32)) if x.shape[-1] <= SHORT_ROW else rows


def _parts(rows: int) -> int:
    """Blocks that share the rows of a norm on its way back, each with sums of its own."""
    return max(1, min(rows, 2 * multiprocessors()))


ROWS_A_BLOCK = 128
"""Rows that one block adds up; more are added up in two rounds."""


def sum_rows(x_ND: Array) -> Array:
    """The sum of the rows, in float32 and always in the same order.  (N, D) -> (D,)"""
    xp, (x, rows, width) = load_cupy(), _rows(x_ND)
    if not rows or not width:
        return xp.zeros(width, float32)
    while True:
        chunks = math.ceil(rows / ROWS_A_BLOCK)
        out = xp.empty((chunks, width), float32)
        args = x, out, int32(rows), int32(width), int32(0)
        launch("norm", _name("sum_rows", x), (math.ceil(width * x.itemsize / (32 * 16)), chunks), BLOCK, args)
        if chunks == 1:
            return out[0]
        x, rows = out, chunks


# ---- tokens ---------------------------------------------------------------------------------------------------------


def embedding(weight: Array, ids: Array) -> Array:
    """Rows of the table; NaN for an id outside it."""
    xp, (rows, width) = load_cupy(), weight.shape
    ids = _ids(ids)
    y = xp.empty((*ids.shape, width), float32)
    if y.size:
        args = _contiguous(weight), ids, y, int32(ids.size), int32(width), int32(rows)
        launch("embedding", "embedding_forward", _grid(y.size // 4 + 1), BLOCK, args)
    return y


def order_of(ids_N: Array) -> Array:
    """The stable order in which whole numbers rise.  (N,) -> (N,) int32"""
    ids, order = _ids(ids_N), load_cupy().empty(len(ids_N), int32)
    if len(ids):
        launch("embedding", "embedding_order", math.ceil(len(ids) / 32), BLOCK, (ids, order, int32(len(ids))))
    return order


def add_rows_by_id(g_ND: Array, ids_N: Array, out_VD: Array) -> None:
    """out[ids[n]] += g[n] for all n, those of one id in order."""
    (g, n, width), ids = _rows(g_ND), _ids(ids_N)
    if g.size:
        args = g, ids, order_of(ids), out_VD, int32(n), int32(width), int32(len(out_VD))
        grid = math.ceil(n / 8), math.ceil(width / 128)  # places and columns a block, as the kernel has them
        launch("embedding", _name("embedding_backward", g), grid, BLOCK, args)


def _ids(ids: Array) -> Array:
    return _contiguous(ids.astype(int64, copy=False))


def cross_entropy(logits_NV: Array, targets_N: Array, ignore: int, smoothing: float) -> tuple[Array, Array]:
    """The loss of every row, and the logarithm of its sum of exponentials, both float32. Rows may lie apart."""
    xp, (logits, rows, width, stride) = load_cupy(), _lines(logits_NV)
    losses, lse = xp.empty(rows, float32), xp.empty(rows, float32)
    if rows:
        options = int32(rows), int32(width), int32(stride), int64(ignore), float32(smoothing)
        args = logits, _ids(targets_N), losses, lse, *options
        launch("loss", _name("cross_entropy_forward", logits), rows, _row_block(width), args)
    return losses, lse


def cross_entropy_gradient(
    logits: Array, targets: Array, lse: Array, g: Array, scale: float, ignore: int, smoothing: float, out: Array
) -> None:
    """(softmax - wanted) * g * scale into `out`, which may be the logits' own memory. g: one number, or one a row.

    Rows may lie apart, those of `out` too; nothing is written between them.
    """
    logits, rows, width, stride = _lines(logits)
    per_row = int32(g.ndim > 0)
    if rows:
        options = int32(rows), int32(width), int32(stride), int64(ignore), float32(smoothing)
        apart = int32(out.strides[0] // out.itemsize)
        args = logits, _ids(targets), lse, _contiguous(g), per_row, float32(scale), out, apart, *options
        block = min(BLOCK, _row_block(width))  # nobody waits for a sum
        launch("loss", _name("cross_entropy_backward", logits), rows, block, args)


def draw(logits_BV: Array, tokens_B: Array, uniform_B: Array, sampler: Any) -> None:
    """Writes the token that a `Sampler` draws for each row, -1 where logits are no numbers; uniform in [0, 1)."""
    rows, width = logits_BV.shape
    top_k = 0 if sampler.top_k is None else min(sampler.top_k, width)
    options = np.float64(sampler.temperature), int32(top_k), np.float64(sampler.top_p), int32(sampler.greedy)
    weights = load_cupy().empty((rows, width), np.float64)
    args = _contiguous(logits_BV), weights, tokens_B, int32(width), *options, uniform_B
    launch("sample", "draw", rows, 1024, args)


# ---- the update -----------------------------------------------------------------------------------------------------


def square_norm(flat: Array, loss: Array, max_norm: float, settings: Array, state: Array) -> None:
    """Norm, clip scale and whether all is finite, into `state`; see kernels/optimizer.cu."""
    parts = load_cupy().empty(_grid(math.ceil(flat.size / 4)), float32)
    launch("optimizer", "square_sums", parts.size, BLOCK, (flat, parts, int64(flat.size)))
    args = parts, int32(parts.size), loss, float32(max_norm), settings, state
    launch("optimizer", "finish_norm", 1, BLOCK, args)


def adamw(w: Array, m: Array, v: Array, g: Array, decaying: int, settings: Array, state: Array, adam: tuple) -> None:
    """One update of all parameters, or none where a number is not finite. adam = (beta1, beta2, eps)."""
    sizes = int64(w.size), int64(decaying)
    beta1, beta2, eps = adam
    rule = np.float64(beta1), np.float64(beta2), float32(eps)
    _each("optimizer", "adamw", w.size, w, m, v, g, *sizes, settings, state, *rule)


def sgd(w: Array, velocity: Array | None, g: Array, decaying: int, settings: Array, state: Array, rule: tuple) -> None:
    """The same for stochastic gradient descent. rule = (momentum, nesterov, decay)."""
    momentum, nesterov, decay = rule
    sizes = int64(w.size), int64(decaying)
    options = float32(momentum), int32(nesterov), float32(decay)
    _each("optimizer", "sgd", w.size, w, velocity, g, *sizes, settings, state, *options)


def log_losses(loss: Array, state: Array, ring: Array, settings: Array) -> None:
    """ring[step % len(ring)] = (loss, norm)."""
    launch("optimizer", "log_losses", 1, 32, (loss, state, ring, settings, int32(len(ring))))
