# %% [markdown]
# # 04 · Fast enough
#
# Our engine is right. Is it fast enough to be worth running? A model of this course needs some two thousand steps. At
# 30 milliseconds each that is a minute, at 300 a coffee break, at 3,000 nobody runs it. This chapter measures what the
# machine could do, finds out where the time goes, and gets it back, without changing one result.
#
# - **Builds on** 03, learning. The operations and the model that are timed come from later chapters (06 to 12); here
#   they are only work for the clock, and what they are for does not matter.
# - **Reads** [`ops/composed.py`](../tinygrad_llm/ops/composed.py) beside [`ops/norm.py`](../tinygrad_llm/ops/norm.py)
#   and [`ops/activation.py`](../tinygrad_llm/ops/activation.py), [`train/step.py`](../tinygrad_llm/train/step.py),
#   [`backend/memory.py`](../tinygrad_llm/backend/memory.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/04/output.txt) shows them all.
# - **Times are not claimed**: they are another machine's as soon as you run this. They are measured, alternating, and
#   the medians printed.
# - **Run**: `python chapters/04_fast_enough.py`. It takes about half a minute, and `--seeds 3` a minute, if nothing
#   else is running. `--fast` takes about ten seconds, with arrays so small that its times say little.

# %%
import contextlib
import importlib.util
import os
import subprocess
import sys
import time
import tracemalloc
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Tensor, ops
from tinygrad_llm.autograd import op
from tinygrad_llm.backend import row_tiles, to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.errors import DtypeError
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.ops import composed
from tinygrad_llm.ops.activation import gelu
from tinygrad_llm.ops.attention import attention, packed_attention
from tinygrad_llm.ops.index import embedding, sum_rows_by_id
from tinygrad_llm.ops.joint_linear import joint_linear
from tinygrad_llm.ops.loss import linear_cross_entropy
from tinygrad_llm.ops.matmul import linear
from tinygrad_llm.ops.norm import layer_norm
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import EagerStep, ThreadedStep
from tinygrad_llm.train.workers import cores
from tinygrad_llm.visualize.chart import powers
from tinygrad_llm.visualize.figure import GRID, INK, PALE_INK, Figure

run = Chapter(
    "04",
    "Fused equals composed and needs at most three quarters of its memory, a whole step at most half; assertions name "
    "the operation of every planted float64 leak, a comparison of values finds none; two threads find one thread's "
    "gradient.",
)
EXACT, OP_SHARE, STEP_SHARE, DOUBLED, THREADS_AGREE = 1e-10, 0.75, 0.5, 1.9, 1e-5
ROWS, ROUNDS = run.pick(4096, 512), run.pick(7, 3)
one_thread = threadpool_limits(1)  # first see what one can do

# %% [markdown]
# ## How fast could it be?
#
# Two things limit every operation: the numbers must come from memory, and something must be done with them. So measure
# the two. The *bandwidth* is how many bytes a second can be copied. The *rate* (of arithmetic; it has nothing to do
# with a learning rate) is how many additions and multiplications a second can be done.
#
# One such operation on a number with a point is a *FLOP*; a thousand million of them a second are 1 GFLOP/s. Matrix
# products do most of them. The library for these, *BLAS*, has been tuned for decades, so we take its speed for the most
# that a core of this machine can compute.
#
# Memory comes in steps. A processor has several *cores*, each of which computes for itself. Each has a *cache*, a small
# and fast memory of its own, which keeps what was used last. What does not fit in comes from main memory.
#
# All numbers here are *float32*: seven digits in four bytes. (NumPy's usual *float64* has sixteen digits in eight.)
#
# One run of a clock proves little: other programs run too. So each measurement is repeated. Where the question is what
# the machine can do, the fastest run counts. Where contenders are compared they take turns, and the median counts.

# %%


def race(contenders, rounds=ROUNDS, count=np.median):
    """The seconds of each, taken in turns: the median of the rounds, or what `count` takes."""
    taken = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            begun = time.perf_counter()
            contender()
            taken[name].append(time.perf_counter() - begun)
    return {name: float(count(times)) for name, times in taken.items()}


def copies(megabytes, times):
    """A function that copies `megabytes` so many times; it moves twice that, once in and once out."""
    source = np.ones(int(megabytes * 2**18), np.float32)
    target = np.empty_like(source)
    return lambda: [np.copyto(target, source) for _ in range(times)]


square = np.random.default_rng(0).normal(size=(768, 768)).astype(np.float32)
machine = {"memory": copies(64, 1), "cache": copies(1 / 4, 64), "product": lambda: square @ square}
seconds = race(machine, 7, min)
MEMORY, CACHE = 2 * 64 * 2**20 / seconds["memory"], 2 * 16 * 2**20 / seconds["cache"]
RATE = 2 * 768**3 / seconds["product"]
print(f"from main memory {MEMORY / 1e9:.0f} GB/s, from the core's own cache {CACHE / 1e9:.0f} GB/s")
print(f"a matrix product {RATE / 1e9:.0f} GFLOP/s: {RATE / MEMORY:.1f} operations in the time of one byte from memory")

# %% [markdown]
# So for an operation that must move $b$ bytes and do $f$ FLOP there is a floor,
#
# $$\text{seconds} \;\ge\; \max\left(\frac{b}{\text{bandwidth}},\; \frac{f}{\text{rate}}\right),$$
#
# and it is the ratio $f/b$, its *intensity*, that decides which of the two holds. (Williams, Waterman and Patterson
# called it the *roofline* model, 2009. If something below is faster than its floor, another program was running while
# the machine was measured.) Which do you expect for adding two arrays? For a product of two matrices?
#
# To add two float32 arrays, twelve bytes move for each FLOP: two numbers in, one out. That waits for memory on any
# machine. In a product of two matrices each number is used again for every column of the other, and arithmetic decides.
#
# ## One GELU, four ways
#
# GELU (chapter 11 says what for) bends every number on its own: $\;y = \tfrac12\,x\,(1 + \tanh(a\,(x + c\,x^3)))$, with
# the constants $a = \sqrt{2/\pi}$ and $c = 0.044715$. The result shall stay as it is; only the way to it may change.
# Here it is as one writes it down, and then three times with one idea more. For each: the milliseconds, the floor, the
# floor as a share of the time (1 would be perfect), and how many arrays of the size of $x$ there are at once, beside
# $x$.

# %%
A, C = 0.7978845608028654, 0.044715


def as_written(x):
    return 0.5 * x * (1 + np.tanh(A * (x + C * x**3)))


def without_the_power(x):  # a general power is exp(3 ln x)
    return 0.5 * x * (1 + np.tanh(A * (x + C * (x * x * x))))


def in_place(x):  # one new array instead of one an operation
    y = np.multiply(x, x)
    y *= A * C
    y += A
    y *= x
    np.tanh(y, out=y)
    y += 1
    y *= x
    y *= 0.5
    return y


def in_tiles(x):  # all eight passes over a piece that stays in the cache
    y = np.empty_like(x)
    for tile in row_tiles(len(x), x.shape[1] * x.itemsize):
        part, out = x[tile], y[tile]
        np.multiply(part, part, out=out)
        out *= A * C
        out += A
        out *= part
        np.tanh(out, out=out)
        out += 1
        out *= part
        out *= 0.5
    return y


def peak_bytes(function):
    """The most bytes that were allocated at once while it ran, beyond what there was before."""
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


x = np.random.default_rng(0).normal(size=(ROWS, 1024)).astype(np.float32)
WAYS = {"as written": as_written, "x*x*x": without_the_power, "in place": in_place, "in tiles": in_tiles}
exact = composed.gelu(Tensor(x.astype(np.float64)), approximate="tanh").data
for way in WAYS.values():
    np.testing.assert_allclose(way(x), exact, rtol=1e-5, atol=1e-6)
np.testing.assert_allclose(gelu(Tensor(x), approximate="tanh").data, exact, rtol=1e-5, atol=1e-6)
seconds = race({name: lambda way=way: way(x) for name, way in WAYS.items()})
ladder_peaks = {name: peak_bytes(lambda way=way: way(x)) for name, way in WAYS.items()}
floor = 2 * x.nbytes / MEMORY
rows = [[n, 1e3 * s, 1e3 * floor, floor / s, ladder_peaks[n] / x.nbytes] for n, s in seconds.items()]
print(table(rows, ["GELU", "ms", "floor, ms", "share of it", "arrays at once"]))

# %% [markdown]
# `x**3` alone costs more than everything else together: a power of any exponent goes by way of a logarithm. Then the
# arrays: each operation that makes a new one has to get it from the system, write it, and read it again for the next.
# In place there is one.
#
# And tiles: 16 MB do not fit into a core's cache, so each of the eight passes fetches all of it from memory; pieces of
# 256 KB do fit. Same operations, same result. What is still missing to the floor is not waste alone: the floor counts
# bytes, and the arithmetic of `tanh` is not in it. (With `--fast` it is 2 MB, which a larger cache may hold: then tiles
# win nothing, and the floor, main memory's, can be undercut.)
#
# ## What does composing cost?
#
# Chapter 02 built everything from small operations, each with its derivative. That is how one understands them, and how
# the package's [`composed`](../tinygrad_llm/ops/composed.py) is written. An operation that is *fused* does the same in
# one go, with a derivative written by hand. Let us compare five of them, value and all gradients:
#
# - `linear`, a matrix product and a bias (chapter 03);
# - `layer_norm`, which scales each row to mean 0 and variance 1 (chapter 11);
# - `gelu`, which you have just seen;
# - `attention`, two products with a softmax between them (chapter 09);
# - `linear_cross_entropy`, a product and the loss of chapter 03 in one.
#
# First in float64, to see that they are equal: the largest difference, as a share of the largest entry. Would we see it
# if they were not? GELU has a second formula, with another curve (the error function) in the place of tanh. People mix
# them up; let us see how far apart the two are.

# %%
OPS = (linear, joint_linear, layer_norm, gelu, attention, packed_attention, embedding, linear_cross_entropy)
FUSED = {f.__name__: f for f in OPS}
COMPOSED = {name: getattr(composed, name) for name in FUSED}
vars(ops).update(FUSED)  # as they are already, unless you run this with --mine, which prefers the composed ones

B, H, T, K, D, F, V = ROWS // 128, 4, 128, 64, 256, 1024, 1024  # sizes; B T = ROWS and H K = D


def cases(seed, dtype):
    """Name: (fused, composed, arrays, options, FLOP forward and backward)."""
    rng = np.random.default_rng(seed)

    def normal(*shape, scale=1.0):
        return (scale * rng.normal(size=shape)).astype(dtype)

    heads = [normal(B, H, T, K) for _ in range(3)]
    flops = {
        "linear": 6 * ROWS * D * F,  # three products: y, dx, dW
        "layer_norm": 17 * ROWS * D,
        "gelu": 38 * ROWS * F,  # a tanh is some twenty additions and multiplications
        "attention": 6 * B * H * T * T * K,  # six products, of which the causal half is needed
        "linear_cross_entropy": 6 * ROWS * D * V,
    }
    made = {
        "linear": ([normal(B, T, D), normal(F, D, scale=0.05), normal(F)], {}),
        "layer_norm": ([normal(ROWS, D), normal(D), normal(D)], {}),
        "gelu": ([normal(ROWS, F)], {"approximate": "tanh"}),
        "attention": (heads, {"causal": True}),
        "linear_cross_entropy": ([normal(ROWS, D), normal(V, D, scale=0.05), rng.integers(0, V, ROWS)], {}),
    }
    return {
        name: (FUSED[name], COMPOSED[name], arrays, options, flops[name]) for name, (arrays, options) in made.items()
    }


def forward_and_backward(function, arrays, options, g):
    """The value, and the gradient of every float array."""
    leaves = [Tensor(a, requires_grad=True) if a.dtype.kind == "f" else a for a in arrays]
    y = function(*leaves, **options)
    y.backward(g)
    return [y.data, *(leaf.grad for leaf in leaves if isinstance(leaf, Tensor))]


def cotangent(function, arrays, options):
    y = function(*arrays, **options)
    return np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)


worst = {}
for seed in run.seeds:
    for name, (fused, plain, arrays, options, _) in cases(seed, np.float64).items():
        *arrays, g = (to_device(a, run.device) for a in (*arrays, cotangent(fused, arrays, options)))
        both = zip(*(forward_and_backward(f, arrays, options, g) for f in (fused, plain)))
        error = max(float(abs(a - b).max() / abs(b).max()) for a, b in both)
        worst[name] = max(worst.get(name, 0.0), error)
some = np.linspace(-3, 3, 61)
by_tanh, by_erf = (gelu(Tensor(some), approximate=kind).data for kind in ("tanh", "none"))
mixed_up = float(abs(by_tanh - by_erf).max() / abs(by_tanh).max())
print(table(list(worst.items()), ["fused against composed", "largest difference, as a share"]))
print(f"for comparison, GELU's two formulas: {mixed_up:.0e}")

# %% [markdown]
# Equal. Now time and memory. There is a floor for both. Time: every array that goes in or comes out crosses the memory
# once, $x$ and $dL/dx$, $y$ and $dL/dy$. Memory: what comes out, $y$ and every gradient, must be somewhere.
#
# (The last column of the first table is for a GPU, a graphics card: `--device cuda` fills it. The arrays are moved
# there before the clock starts, and reading one number at the end waits until all is done.)

# %%


def gpu_ms(function, arrays, options, g):
    """Milliseconds on the GPU, after one run that compiles its kernels."""
    *arrays, g = (to_device(a, run.device) for a in (*arrays, g))

    def run_once():
        return forward_and_backward(function, arrays, options, g)[-1].reshape(-1)[0].item()

    run_once()
    return 1e3 * race({"gpu": run_once})["gpu"]


GPU = run.device == "cuda"
times, memory, places, shares = [], [], {}, {}
for name, (fused, plain, arrays, options, flops) in cases(0, np.float32).items():
    g = cotangent(fused, arrays, options)
    jobs = {
        kind: lambda f=f, a=arrays, o=options, g=g: forward_and_backward(f, a, o, g)
        for kind, f in (("composed", plain), ("fused", fused))
    }
    seconds, peaks = race(jobs), {kind: peak_bytes(job) for kind, job in jobs.items()}
    shares[name] = peaks["fused"] / peaks["composed"]
    moved = 2 * (sum(a.nbytes for a in arrays) + g.nbytes)
    comes_out = g.nbytes + sum(a.nbytes for a in arrays if a.dtype.kind == "f")
    floor = max(moved / MEMORY, flops / RATE)
    bound = "memory" if moved / MEMORY > flops / RATE else "arithmetic"
    places[name] = (flops / moved, flops / seconds["composed"], flops / seconds["fused"])
    on_gpu = f"{gpu_ms(fused, arrays, options, g):.3g}" if GPU else "-"
    times.append([name, flops / moved, bound, *(1e3 * s for s in (*seconds.values(), floor)), on_gpu])
    memory.append([name, *(size / 1e6 for size in (*peaks.values(), comes_out)), shares[name]])
print("milliseconds, forward and backward")
print(table(times, ["", "FLOP/byte", "bound by", "composed", "fused", "floor", "on a GPU"]))
print("\nMB at once")
print(table(memory, ["", "composed", "fused", "floor", "fused / composed"]))

# %% [markdown]
# The picture shows the first table. Across: how many FLOP there are for each byte that must move. Up: how many are done
# in a second. Under the slanted lines an operation waits for its bytes (orange: from main memory; green: had they all
# been in the cache), under the flat roof for arithmetic. An arrow goes from composed to fused.
#
# Where nearly all work is products, as in `linear`, there is little to win: the product is the same. The small
# operations between the products are where a careless engine loses its time. **And be fair to the composed form.** Its
# GELU is written with `x*x*x`. We first had `x**3` there, and the longest arrow by far was not that of fusing: it was
# that one power's, which you have seen in the first table of this chapter.

# %% folded
BLUE, ORANGE, GREEN = "#0969da", "#cf5b16", "#1a7f37"


def roofline(places):
    """The roof of this machine, and an arrow an operation, from composed up to fused."""
    width, height, left, right, top, bottom = 760, 470, 70, 30, 64, 54
    ends = (0.1, 2000.0), (min(p[1] for p in places.values()) / 1e9 / 3, RATE / 1e9 * 2)
    span = [np.log10(high / low) for low, high in ends]

    def at(x, y):
        across, up = np.log10(x / ends[0][0]) / span[0], np.log10(y / ends[1][0]) / span[1]
        return left + across * (width - left - right), height - bottom - up * (height - top - bottom)

    words = f"fused operations reach {', '.join(f'{n} {p[2] / 1e9:.3g}' for n, p in places.items())} GFLOP/s"
    figure = Figure(width, height, "How high is the roof, and how near are we?", words)
    figure.text((left, 26), "How high is the roof, and how near are we?", INK, 16, weight=600)
    figure.text((left, 45), "GFLOP/s against FLOP a byte, one thread; both axes in factors of ten", PALE_INK, 12)
    for value in powers(*ends[1]):
        y = at(1, value)[1]
        figure.line((left, y), (width - right, y), GRID)
        figure.text((left - 8, y + 4), f"{value:g}", anchor="end")
    for value in powers(*ends[0]):
        figure.text((at(value, ends[1][0])[0], height - bottom + 20), f"{value:g}", anchor="middle")
    figure.text(((left + width - right) / 2, height - 12), "FLOP for each byte that must move", anchor="middle")
    for name, speed, color in (("memory", MEMORY, ORANGE), ("cache", CACHE, GREEN)):
        corner = RATE / speed
        start = max(ends[0][0], ends[1][0] * 1e9 / speed)
        figure.path([at(start, speed * start / 1e9), at(corner, RATE / 1e9), at(ends[0][1], RATE / 1e9)], color, 2)
        x, y = at(start, speed * start / 1e9)
        figure.text((x + 14, y + 4), f"{name}, {speed / 1e9:.0f} GB/s", color, 12, weight=600)
    x, y = at(RATE / MEMORY, RATE / 1e9)
    figure.text((x, y - 8), f"matrix product, {RATE / 1e9:.0f} GFLOP/s", INK, 12, weight=600)
    for name, (intensity, slow, fast) in places.items():
        low, high = at(intensity, slow / 1e9), at(intensity, fast / 1e9)
        if low[1] - high[1] > 12:
            figure.arrow((low[0], low[1] - 4), (high[0], high[1] + 4), PALE_INK)
        figure.dot(low, "#8c959f", 4)
        figure.dot(high, BLUE, 5)
        figure.text((low[0], max(low[1], high[1]) + 18), name, BLUE, 12, anchor="middle", weight=600)
    figure.text((width - right, height - bottom - 12), "grey: composed, blue: fused", PALE_INK, 12, anchor="end")
    return figure


# %%
run.show(roofline(places), "roofline")

# %% [markdown]
# ## Which rows of the table were used?
#
# A language model keeps a table with a row of numbers for each word (chapter 06). To look words up by their numbers is
# `weight[ids]`: weight (V, D), ids (N,), result (N, D). On the way back the gradients of all places where the same id
# stood add up. `dw[ids] += g` would be wrong: NumPy writes each row once, and what repeats is lost. `np.add.at` is
# right, row by row. Two other ways: a product with a matrix of ones and zeros, and sorting, so that equal ids stand
# together and runs can be summed.

# %%


def by_add_at(g, ids, rows):
    out = np.zeros((rows, g.shape[1]), g.dtype)
    np.add.at(out, ids, g)
    return out


def by_one_hot(g, ids, rows):
    one_hot = np.zeros((len(ids), rows), g.dtype)
    one_hot[np.arange(len(ids)), ids] = 1
    return one_hot.T @ g


def by_sorting(g, ids, rows):
    out, order = np.zeros((rows, g.shape[1]), g.dtype), np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    out[ordered[starts]] = np.add.reduceat(g[order], starts, axis=0)
    return out


rng, rows = np.random.default_rng(0), []
for vocabulary in (32, 128, 512, 8192):
    g, ids = rng.normal(size=(768, 128)).astype(np.float32), rng.integers(0, vocabulary, 768)
    ways = {"np.add.at": by_add_at, "one-hot product": by_one_hot, "sorting": by_sorting}
    for way in ways.values():
        np.testing.assert_allclose(
            way(g, ids, vocabulary), sum_rows_by_id(g, ids, vocabulary, True), rtol=1e-4, atol=1e-5
        )
    seconds = race({name: partial(way, g, ids, vocabulary) for name, way in ways.items()}, 15)
    rows.append([vocabulary, *[1e3 * s for s in seconds.values()]])
print(table(rows, ["rows of the table", *[f"{name}, ms" for name in ways]]))

# %% [markdown]
# The product does work for every row of the table, used or not; the other two for the used ones alone. So the package
# takes the product for small tables and sorts for large ones. Where is the border? We had set it at 512 rows, by feel.
# This measurement, on a quiet machine and with more sizes, moved it to 96.
#
# ## Who doubled the bytes?
#
# Everything here is float32: four bytes a number. (NumPy calls this kind of number the array's *dtype*.) Python's own
# numbers do not change that. NumPy's do: `np.sqrt(64)` is a float64, and float32 times float64 is float64. From then on
# every array is twice as large, every copy takes twice as long, and a product too. **And no result is wrong.** So a
# test of values will not find it: what comes out is right, if anything in more digits. (Dividing by 8 is exact in both;
# dividing by 10 would change the eighth digit, where no tolerance for float32 looks.)
#
# Here are eight ways to do it by accident, eight *leaks*, and each as it should be written. How many would you have
# seen in a review? Our check is an assertion in the engine, at every operation and on the way back: what comes out has
# the dtype of what went in. Each leak stands in a chain of three operations, between `tanh` and `exp`. Does the
# assertion find it, does it name the one that leaks, and is it silent where nothing leaks? A sceptic has a cheaper way:
# no assertion, run it all, and look at the dtypes in the end.

# %%


def leaky(x_eighth, g_eighth=lambda g: g / 8):
    """Dividing by 8, as one might write it: its value, and dL/dx."""

    @op
    def eighth(x):
        return x_eighth(x), lambda g, needs: g_eighth(g)

    return eighth


def right(x):
    return x / 8


LEAKS = {
    "x / np.sqrt(64)": (leaky(lambda x: x / np.sqrt(64)), leaky(lambda x: x / float(np.sqrt(64)))),
    "x * np.float64(0.125)": (leaky(lambda x: x * np.float64(0.125)), leaky(lambda x: x * 0.125)),
    "x * np.array(0.125)": (leaky(lambda x: x * np.array(0.125)), leaky(lambda x: x * np.array(0.125, x.dtype))),
    "x / np.mean([4, 12])": (leaky(lambda x: x / np.mean([4, 12])), leaky(lambda x: x / np.mean([4, 12]).item())),
    "x / (arange * 0 + 8)": (
        leaky(lambda x: x / (np.arange(x.shape[-1]) * 0 + 8)),
        leaky(lambda x: x / (np.arange(x.shape[-1], dtype=x.dtype) * 0 + 8)),
    ),
    "x @ (np.eye(n) / 8)": (
        leaky(lambda x: x @ (np.eye(x.shape[-1]) / 8)),
        leaky(lambda x: x @ (np.eye(x.shape[-1], dtype=x.dtype) / 8)),
    ),
    "g / np.sqrt(64)": (leaky(right, lambda g: g / np.sqrt(64)), leaky(right, lambda g: g / float(np.sqrt(64)))),
    "g * np.full(shape, 0.125)": (
        leaky(right, lambda g: g * np.full(g.shape, 0.125)),
        leaky(right, lambda g: g * np.full(g.shape, 0.125, g.dtype)),
    ),
}


def without_assertions(operation, x):
    """tanh, the operation, exp, as arrays: the result, and the gradient of its sum."""
    back = []
    for step in (ops.tanh, operation, ops.exp):
        x, vjp = step.array(x)
        back.append(vjp)
    g = np.ones(x.shape, np.float32)
    for vjp in reversed(back):
        g = vjp(g, (True,))
    return x, g


def alarm(operation, x):
    """What the assertions say; nothing, if they are content."""
    try:
        ops.exp(operation(ops.tanh(Tensor(x, requires_grad=True)))).sum().backward()
    except (DtypeError, AssertionError) as error:
        return str(error).split(". ")[0]
    return ""


small = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
wanted = without_assertions(leaky(right), small)
found = dict.fromkeys(("values", "dtype of the result", "both dtypes", "assertions"), 0)
named, false_alarms, rows = 0, 0, []
for name, (operation, mended) in LEAKS.items():
    value, gradient = without_assertions(operation, small)
    said = alarm(operation, small)
    found["values"] += not (np.allclose(value, wanted[0]) and np.allclose(gradient, wanted[1]))
    found["dtype of the result"] += value.dtype != np.float32
    found["both dtypes"] += value.dtype != np.float32 or gradient.dtype != np.float32
    found["assertions"] += said != ""
    named += "eighth" in said
    false_alarms += alarm(mended, small) != ""
    rows.append(
        [name, value.dtype, gradient.dtype, said.replace("expected one float dtype throughout, got x (64, 64) ", "")]
    )
print(table(rows, ["leak", "result", "gradient", "the assertions say"]))
run.say(f"of {len(LEAKS)} leaks found, by", ", ".join(f"{check}: {count}" for check, count in found.items()))
print(f"the assertions name the operation of {named}; of the {len(LEAKS)} written rightly they accuse {false_alarms}")
assert (Tensor(small) / np.sqrt(64)).dtype == np.float32  # between tensors a NumPy number is taken for a number

# %% [markdown]
# The dtype of the result misses the last two: they leak on the way back, and only the gradients grow. **Who looks at
# the dtype of the gradients as well finds all eight, as the assertions do.** But it is a float64 that he finds, at the
# end of a chain of three operations or of three hundred. What is left for the assertions is that they stand in every
# operation, whether anybody thinks of looking or not, and that they name the one that leaks. They cost next to nothing,
# a comparison of two words an operation. And NumPy's numbers that meet a *tensor* are made Python's first, so that the
# most usual leak cannot happen at all.
#
# ## A whole step
#
# Now all of it together: a GPT of four layers (chapter 12 builds it), forward, backward, clipping and AdamW, on 12
# pieces of text, 64 words each. For the composed form each fused operation is exchanged for its readable twin. For the
# leak all is float64, which is where one leak at the beginning leads.

# %%
CONFIG = GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False)
TIMED, TOKENS = run.pick(15, 3), 12 * 64


def load(seed, dtype=np.float32):
    """A model, its optimizer, and a batch."""
    model = GPT(CONFIG, rng=np.random.default_rng(seed), dtype=dtype)
    tokens = np.random.default_rng(seed + 1).integers(0, 65, (12, 65))
    return model, AdamW(model.parameters(), lr=1e-3), [{"tokens": tokens[:, :-1], "targets": tokens[:, 1:]}]


@contextlib.contextmanager
def readable():
    """While this holds, the layers use the composed operations."""
    vars(ops).update(COMPOSED)
    try:
        yield
    finally:
        vars(ops).update(FUSED)


def in_readable(job):
    def inside():
        with readable():
            job()

    return inside


def stepping(step, batches):
    return lambda: step(batches, 1, 1e-3, TOKENS)


# %% [markdown]
# And a second *thread*, a second line of work in the same program, for another core. Nothing in the network makes one
# example wait for another, so half of the batch can go to each thread: they share the parameters, and each has a
# gradient of its own; at the end the two are added. First: is it the same gradient? And for comparison: how far off
# would it be, if the second half were forgotten?

# %%
apart, half_apart = 0.0, 1.0
for seed in run.seeds:
    model, optimizer, batches = load(seed)
    eager, threaded = EagerStep(model.loss, optimizer), ThreadedStep(model.loss, optimizer, threads=2)
    eager.gradients(batches, 0, TOKENS)
    threaded.gradients(batches, 0, TOKENS)
    whole = eager.sink.flat.copy()
    apart = max(apart, float(np.abs(whole - threaded.sinks[0].flat).max() / np.abs(whole).max()))
    threaded.close()
    eager.gradients([{name: array[:6] for name, array in batches[0].items()}], 0, TOKENS)
    half_apart = min(half_apart, float(np.abs(whole - eager.sink.flat).max() / np.abs(whole).max()))
    with readable():
        slow = EagerStep(model.loss, optimizer)
        slow.gradients(batches, 0, TOKENS)
    np.testing.assert_allclose(slow.sink.flat, whole, rtol=1e-2, atol=1e-5)
run.say(
    f"the gradients of one thread and of two differ by {apart:.0e} of the largest entry; without the second half by "
    f"{half_apart:.0e}"
)

# %%
model, optimizer, batches = load(0)
wide_model, wide_optimizer, _ = load(0, np.float64)
eager, wide = EagerStep(model.loss, optimizer), EagerStep(wide_model.loss, wide_optimizer)
threaded = ThreadedStep(model.loss, optimizer, threads=2)


def on_all_cores():
    with threadpool_limits(cores()):
        eager(batches, 1, 1e-3, TOKENS)


jobs = {
    "composed": in_readable(stepping(eager, batches)),
    "fused": stepping(eager, batches),
    "fused, float64": stepping(wide, batches),
    "fused, two threads": stepping(threaded, batches),
    "fused, BLAS on all cores": on_all_cores,
}
peaks = {name: peak_bytes(job) for name, job in jobs.items()}
seconds = race(jobs, TIMED)
threaded.close()
one_thread.restore_original_limits()

# a token meets each parameter with 2 FLOP forward and 4 backward; attention's own products, of which half is needed
flops = 6 * model.n_parameters() * TOKENS + 6 * 12 * 64 * 64 * 128 * CONFIG.n_layer
rows = [[name, 1e3 * s, seconds["composed"] / s, peaks[name] / 1e6] for name, s in seconds.items()]
print(table(rows, ["a training step", "ms", "times as fast", "most MB at once"]))
print(f"its floor on one core, the matrix products alone: {1e3 * flops / RATE:.1f} ms")

# %% [markdown]
# So fusing makes a step about one and a half times as fast, in less than half of the memory. **We first printed three
# times**, with `x**3` in the composed GELU of each of the four layers. Nearly half of the composed step was that power,
# and had nothing to do with composing. What one measures against must be as good as its kind can be.
#
# BLAS has threads of its own, which divide each product: that is the last line. They do nothing for what lies between
# the products, and they wait by spinning: if another program wants the core, everybody loses. Our own two threads can
# win only where a second core is free, and with a model this small even then not much. If neither of the two is faster
# than `fused` here, a second core gained nothing: it had other work, or the model is too small for two.
#
# ## What you would not find in the code
#
# An array of more than 128 KB is taken from the system and, when it is freed, given back. The next one gets new pages,
# and each costs an interrupt at the first touch: a *page fault*, a microsecond or a few for 4 KB. One setting of the C
# library keeps the pages. `tgl train` makes it once, at the start. It cannot be taken back, so we look at it in two
# processes of their own. (The work is that of two threads, added up.)

# %% folded
PROBE = """
import resource, sys, time
import numpy as np
from tinygrad_llm.backend import keep_freed_pages
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import ThreadedStep

kept = sys.argv[1] == "keep" and keep_freed_pages(threads=2)
model = GPT(GPTConfig(65, 64, 4, 4, 128, bias=False), rng=np.random.default_rng(0))
tokens = np.random.default_rng(1).integers(0, 65, (12, 65))
batches = [{"tokens": tokens[:, :-1], "targets": tokens[:, 1:]}]
step = ThreadedStep(model.loss, AdamW(model.parameters(), lr=1e-3), threads=2)
for number in range(int(sys.argv[2])):
    if number == 3:  # the first ones are for warming up
        before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.process_time()
    step(batches, number, 1e-3, 12 * 64)
steps = int(sys.argv[2]) - 3
faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // steps
print(int(kept), faults, 1e3 * (time.process_time() - begun) / steps)
"""


def probed(what):
    """Whether pages were kept, page faults a step, and milliseconds of both cores' work."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(run.root), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", PROBE, what, str(run.pick(23, 6))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


# %%
if importlib.util.find_spec("resource"):
    (_, given_back, usual_ms), (kept, faults, kept_ms) = probed("give back"), probed("keep")
    print(f"pages given back: {given_back} page faults a step, {float(usual_ms):.1f} ms of work")
    print(
        f"pages kept:       {faults} page faults a step, {float(kept_ms):.1f} ms of work"
        if kept == "1"
        else "no glibc here"
    )
else:
    print("this system does not count page faults")

# %% [markdown]
# None of these ideas was deep: no `x**3`; fewer arrays; arrays that fit the cache; four bytes and not eight; pages that
# stay. Each was found by measuring, and most of them not where one would have looked. What is left is matrix products,
# and those are the real work.
#
# **Exercises**: 04.1 the floor, 04.2 GELU in three arrays, 04.3 find the leak, 04.4 rows by id.
# `tgl chapter 04 --mine` runs this page on your GELU and your rows by id.

# %%
step_share, wide_share = peaks["fused"] / peaks["composed"], peaks["fused, float64"] / peaks["fused"]
run.check("fused against composed", worst, at_most=EXACT, baseline={"GELU's two formulas": mixed_up})
run.check("fused operations' share of composed memory", shares, at_most=OP_SHARE, baseline={"composed": 1})
run.check("a whole step's share of composed memory", step_share, at_most=STEP_SHARE, baseline={"composed": 1})
finders = {f"found by {check}": count for check, count in found.items() if check != "assertions"}
run.check("leaks whose operation the assertions name", named, equals=len(LEAKS), baseline=finders)
run.check("operations written rightly that they accuse", false_alarms, equals=0)
run.check("leaks that a comparison of values finds", found["values"], equals=0)
run.check("times the bytes of a step in float64", wide_share, at_least=DOUBLED)
run.check(
    "gradient of two threads against one thread's",
    apart,
    at_most=THREADS_AGREE,
    baseline={"without the second half": half_apart},
)
run.report("arrays at once in GELU", {n: p / x.nbytes for n, p in ladder_peaks.items()})
run.report("ms a step", {n: 1e3 * s for n, s in seconds.items()})
run.report("GB/s from memory", MEMORY / 1e9)
run.report("GFLOP/s of a product", RATE / 1e9)
run.report("a GPU was there", GPU)
run.finish()
