"""Attention on a GPU at lengths that models have, against the definition in float64: value, gradients, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from gpu_bounds import distance, error

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import DeviceStream, as_dtype, to_device
from tinygrad_llm.backend.launch import launch
from tinygrad_llm.ops.attention_plain import PlainAttention, visible

pytestmark = pytest.mark.gpu
WHOLE = {"float32": 5e-6, "bfloat16": 2.0**-7}
"""How far all numbers together may be off. bfloat16 is rounded to up to four times: the weights, the answer that the way back
reads, the gradient of the scores, the result; each time by up to 2^-9, and mostly less."""
WORST = 4e-5
"""How far the worst number of float32 may be, measured by itself and the root mean square of all."""
HALF_A_STEP = 2.0**-8
"""How far a rounding to bfloat16 moves a number, at most, as a part of it."""


@dataclass(frozen=True)
class Shape:
    """B examples, H heads, G of them for keys, T queries, S keys, size K; p of the weights are dropped. lengths: how
    many keys each example has; window: how many of them a query sees."""

    b: int
    h: int
    g: int
    t: int
    s: int
    k: int
    causal: bool = True
    p: float = 0.0
    lengths: tuple[int, ...] | None = None
    window: int | None = None

    @property
    def seen(self) -> np.ndarray:
        """Who sees whom: booleans that broadcast to (B, G, R, T, S)."""
        lengths = None if self.lengths is None else np.array(self.lengths)
        return visible(np, self.t, self.s, lengths, self.causal, self.window)


SHAPES = {
    "GPT-2": Shape(2, 4, 4, 1024, 1024, 64),
    "GPT-2, dropout": Shape(1, 4, 4, 1024, 1024, 64, p=0.1),
    "nanoGPT, dropout": Shape(16, 6, 6, 256, 256, 64, p=0.2),
    "grouped": Shape(1, 8, 2, 1024, 1024, 64),
    "grouped, dropout": Shape(1, 8, 2, 1024, 1024, 64, p=0.2),
    "one head of keys": Shape(2, 6, 1, 333, 333, 128, p=0.1),
    "small heads": Shape(3, 4, 4, 200, 200, 32),
    "odd heads": Shape(2, 2, 1, 129, 129, 51, p=0.3),
    "heads of 96": Shape(1, 2, 2, 300, 300, 96),
    "not causal": Shape(2, 4, 2, 500, 700, 64, causal=False),
    "with a cache": Shape(2, 4, 2, 65, 1000, 64),
    "queries that see nothing": Shape(1, 2, 1, 300, 200, 64),
    "one query over caches": Shape(4, 12, 4, 1, 1024, 64, lengths=(1024, 1, 777, 64)),
    "caches of their own lengths": Shape(3, 4, 2, 100, 1000, 128, lengths=(1000, 40, 513), p=0.1),
    "a window": Shape(1, 4, 4, 1024, 1024, 64, window=200),
    "padding": Shape(2, 4, 4, 500, 700, 64, causal=False, lengths=(700, 123)),
}


def small(shape: Shape) -> Shape:
    """What the stand-in does in a second."""
    lengths = None if shape.lengths is None else tuple(min(n, 150) for n in shape.lengths)
    window = None if shape.window is None else min(shape.window, 40)
    return replace(
        shape, b=1 if lengths is None else shape.b, h=min(shape.h, 2 * shape.g, 4), g=min(shape.g, 2),
        t=min(shape.t, 141), s=min(shape.s, 150), lengths=lengths, window=window,
    )  # fmt: skip


def drawn(shape: Shape, dtype: str) -> list[np.ndarray]:
    """q, k, v and the gradient of the answer, as numbers that bfloat16 holds."""
    rng, half = np.random.default_rng(0), as_dtype("bfloat16")
    shapes = [
        (shape.b, n, length, shape.k) for n, length in ((shape.h, shape.t), (shape.g, shape.s), (shape.g, shape.s))
    ]
    return [rng.standard_normal(s).astype(half).astype(as_dtype(dtype)) for s in (*shapes, shapes[0])]


def factors(shape: Shape, counter, cupy) -> np.ndarray | None:
    """What the kernels multiply the weights with, 0 or 1 / (1 - p), as (B, G, R, T, S)."""
    if not shape.p:
        return None
    mask = cupy.empty((shape.b, shape.h, shape.t, shape.s), np.float32)
    sizes = map(np.int32, mask.shape)
    args = (mask, *sizes, np.float32(shape.p), counter, np.int32(0))
    launch("attention_delta", "attention_dropout_mask", math.ceil(mask.size / 128), 128, args)
    return mask.get().astype(np.float64).reshape(shape.b, shape.g, shape.h // shape.g, shape.t, shape.s)


def roundings(shape: Shape, q, k, v, g, mask) -> list[np.ndarray]:
    """How far from float64 each number of the answer, dq, dk and dv may be: what bfloat16 rounds, no more.

    With u half a step, P the weights, M what dropout multiplies them with, and delta = sum over K of g out:

        out   u (P M |v|) for the weights, u |out| for itself
        delta sum over K of |g| (what out is off), since the way back reads the rounded out. Where a query sees few keys
              this is all there is: dS of the first query is g v - delta, which should be 0
        dq    scale (|P k| delta's + u |dS| |k|), and u |dq|        dS = P (M g v^T - delta) is rounded for its products
        dk    scale (P^T (delta's |q|) + u |dS|^T |q|), and u |dk|
        dv    u (P M)^T |g|, and u |dv|
    """
    u, scale, groups = HALF_A_STEP, 1 / math.sqrt(shape.k), shape.h // shape.g
    q, k, v, g = (x.astype(np.float64) for x in (q, k, v, g))
    k, v = (np.repeat(x, groups, 1) for x in (k, v))
    m = np.ones(()) if mask is None else mask.reshape(shape.b, shape.h, shape.t, shape.s)
    scores = scale * q @ k.swapaxes(2, 3)
    seen = np.broadcast_to(shape.seen, (shape.b, 1, 1, shape.t, shape.s))[:, :, 0]
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    p = np.exp(scores - np.where(np.isfinite(top), top, 0))
    p /= np.maximum(p.sum(-1, keepdims=True), 1e-300)
    out = (p * m) @ v
    off_out = u * ((p * m) @ np.abs(v) + np.abs(out))
    ds = p * (m * (g @ v.swapaxes(2, 3)) - (g * out).sum(-1, keepdims=True))
    off_delta = (np.abs(g) * off_out).sum(-1, keepdims=True)
    off_dq = scale * (np.abs(p @ k) * off_delta + u * np.abs(ds) @ np.abs(k)) + u * np.abs(scale * ds @ k)
    ds_t, pm_t = ds.swapaxes(2, 3), (p * m).swapaxes(2, 3)
    off_dk = scale * (p.swapaxes(2, 3) @ (off_delta * np.abs(q)) + u * np.abs(ds_t) @ np.abs(q))
    off_dv = u * pm_t @ np.abs(g)
    off_dk, dk, off_dv, dv = (
        x.reshape(shape.b, shape.g, groups, shape.s, shape.k).sum(2)
        for x in (off_dk, scale * ds_t @ q, off_dv, pm_t @ g)
    )
    return [off_out, off_dq, off_dk + u * np.abs(dk), off_dv + u * np.abs(dv)]


def defined(shape: Shape, q, k, v, g, mask) -> list[np.ndarray]:
    """The answer and dq, dk, dv in float64, all scores in memory."""
    q, k, v, g = (x.astype(np.float64) for x in (q, k, v, g))
    grouped = (shape.b, shape.g, shape.h // shape.g, shape.t, shape.k)
    lengths = None if shape.lengths is None else np.array(shape.lengths)
    options = {"lengths": lengths, "window": shape.window}
    plain = PlainAttention(q.reshape(grouped), k, v, None, shape.causal, 1 / math.sqrt(shape.k), mask, **options)
    out, dq, dk, dv = (np.empty(s) for s in (grouped, grouped, k.shape, v.shape))
    plain.forward(out)
    plain.backward(g.reshape(grouped), dq, dk, dv, False)
    return [out.reshape(q.shape), dq.reshape(q.shape), dk, dv]


def on_gpu(shape: Shape, q, k, v, g, counter) -> list[np.ndarray]:
    """The same by `ops.attention`, from the GPU's arrays."""
    leaves = [Tensor(x, requires_grad=True).to("cuda") for x in (q, k, v)]
    rng = DeviceStream(counter) if shape.p else None
    lengths = None if shape.lengths is None else to_device(np.array(shape.lengths), "cuda")
    out = ops.attention(*leaves, lengths=lengths, causal=shape.causal, window=shape.window, p=shape.p, rng=rng)
    out.backward(to_device(g, "cuda"))
    return [to_device(x, "cpu") for x in (out.data, *(leaf.grad for leaf in leaves))]


def side_by_side(x: np.ndarray) -> np.ndarray:
    """(B, H, T, K) -> (B, T, H K)"""
    return np.ascontiguousarray(x.transpose(0, 2, 1, 3)).reshape(x.shape[0], x.shape[2], -1)


@pytest.fixture
def counter(cupy):
    return cupy.asarray(np.array([0x0123456789ABCDEF, 7], np.uint64))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", SHAPES)
def test_attention_is_its_definition(name, dtype, counter, cupy, on_standin, tensor_cores):
    shape = small(SHAPES[name]) if on_standin else SHAPES[name]
    given = drawn(shape, dtype)
    found = on_gpu(shape, *given, counter)
    mask = factors(shape, counter, cupy)
    exact = defined(shape, *given, mask)
    allowed = roundings(shape, *given, mask) if dtype == "bfloat16" else [None] * 4
    floors = (1e-30, cancelled(shape, *given), cancelled(shape, *given), 1e-30)
    for label, a, b, most, floor in zip(("out", "dq", "dk", "dv"), found, exact, allowed, floors):
        worst = error(a, b, floor) / WORST if most is None else times(a, b, most)
        off = distance(a, b) / WHOLE[dtype], worst
        assert max(off) <= 1, f"{name} {dtype}, {label}: {off[0]:.3g} times the bound of all, {off[1]:.3g} of the worst"


def cancelled(shape: Shape, q, k, v, g) -> float:
    """What float32 may leave of a dq or dk that should be 0, in units of WORST.

    The gradient of a score is P (g v - delta); where a query sees one key the two are the same sum of K products, of
    which rounding leaves up to 2^-24 of the products' sum.
    """
    q, k, v, g = (np.abs(x.astype(np.float64)) for x in (q, k, v, g))
    v = np.repeat(v, shape.h // shape.g, 1)
    left = 2.0**-24 * float((g @ v.swapaxes(2, 3)).max())
    return left / math.sqrt(shape.k) * float(max(q.max(), k.max())) / WORST


def times(found: np.ndarray, exact: np.ndarray, allowed: np.ndarray) -> float:
    """The largest |found - exact| / allowed; float32 sums may be off besides, by a millionth."""
    off = np.abs(np.asarray(found, np.float64) - exact) / (
        allowed + 1e-6 * (np.abs(exact) + np.sqrt(np.mean(exact**2)))
    )
    return float(off.max(initial=0)) if np.isfinite(off).all() else float("inf")


@pytest.mark.parametrize("factor", [0.0, 2.0])
@pytest.mark.parametrize("name", ["GPT-2", "grouped", "not causal"])
def test_a_tile_of_keys_that_is_missed_or_met_twice_is_beyond_the_bounds(name, factor):
    """The definition, rounded at its end alone, is within them; with other weights for 32 keys it is not."""
    shape = small(SHAPES[name])
    given, half = drawn(shape, "float32"), as_dtype("bfloat16")
    exact, allowed = defined(shape, *given, None), roundings(shape, *given, None)
    tile = np.ones((shape.b, shape.g, shape.h // shape.g, shape.t, shape.s))
    tile[..., 64:96] = factor
    for a, b, most in zip(defined(shape, *given, tile), exact, allowed):
        assert times(b.astype(half), b, most) <= 1 and times(a.astype(half), b, most) > 3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["GPT-2, dropout", "grouped, dropout", "odd heads"])
def test_packed_attention_is_attention_on_its_parts(name, dtype, counter, on_standin, tensor_cores):
    """The same kernels on views: the same numbers to the bit."""
    shape = small(SHAPES[name]) if on_standin else SHAPES[name]
    shape = replace(shape, s=shape.t)
    q, k, v, g = drawn(shape, dtype)
    apart = on_gpu(shape, q, k, v, g, counter)
    qkv = Tensor(np.concatenate([side_by_side(x) for x in (q, k, v)], -1), requires_grad=True).to("cuda")
    options = {"n_head": shape.h, "n_kv_head": shape.g, "p": shape.p, "rng": DeviceStream(counter)}
    out = ops.packed_attention(qkv, **options)
    out.backward(to_device(side_by_side(g), "cuda"))
    np.testing.assert_array_equal(out.numpy(), side_by_side(apart[0]))
    together = np.concatenate([side_by_side(x) for x in apart[1:]], -1)
    np.testing.assert_array_equal(to_device(qkv.grad, "cpu"), together)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_attention_gives_the_same_bits(dtype, counter, on_standin, tensor_cores):
    """Nothing is added in an order that is left to chance."""
    shape = small(SHAPES["grouped, dropout"]) if on_standin else SHAPES["grouped, dropout"]
    given = drawn(shape, dtype)
    for a, b in zip(on_gpu(shape, *given, counter), on_gpu(shape, *given, counter)):
        np.testing.assert_array_equal(a, b)


def test_batches_that_are_added_up_drop_other_weights(counter):
    """The second batch of a step begins with another example, so its weights meet another chance."""
    x = Tensor(np.random.default_rng(0).standard_normal((2, 2, 40, 32)).astype(np.float32)).to("cuda")
    first, second = (ops.attention(x, x, x, p=0.3, rng=DeviceStream(counter, first_example=i)).numpy() for i in (0, 2))
    assert (first != second).mean() > 0.9


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_attention_never_holds_all_scores(dtype, cupy, counter, on_standin, tensor_cores):
    """Forward and backward take memory for what is as long as the queries, and for nothing of T x T."""
    t, k = (128, 8) if on_standin else (4096, 64)
    shape = Shape(1, 1, 1, t, t, k, p=0.1)
    q, key, v, g = (to_device(x, "cuda") for x in drawn(shape, dtype))
    leaves = [Tensor(x, requires_grad=True) for x in (q, key, v)]
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        pool.free_all_blocks()
        before = pool.total_bytes()
        ops.attention(*leaves, causal=True, p=shape.p, rng=DeviceStream(counter)).backward(g)
        most = pool.total_bytes() - before  # a pool keeps what it was given: this is the most at a time
    scores = t * t * q.itemsize
    assert 3 * q.nbytes <= most < scores, f"{most} bytes: the three gradients take {3 * q.nbytes}, all scores {scores}"
