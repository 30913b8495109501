"""Kernels beside what the memory, or the tensor cores, can do: one table each for `benchmarks.gpu`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.gpu_clock import Effort, gpu_ms, random_array
from tinygrad_llm.backend import DeviceStream, as_dtype, cuda_ops
from tinygrad_llm.backend.cuda import load_cupy

WIDTH, VOCABULARY, IGNORE = 768, 50257, -100
TARGET = 0.70
"""Of the copy bandwidth: what a kernel that goes over memory once should reach."""

Measured = tuple[str, Callable[[], Any], float]
"""A kernel's name, a call of it, and the fewest bytes that it must move."""


def rows_of(size: int, dtype: str, width: int) -> Any:
    """An array of `size` bytes, or a few less, in rows."""
    return random_array((max(1, size // as_dtype(dtype).itemsize // width), width), dtype)


def tokens(count: int, vocabulary: int) -> Any:
    """Ids as in a text: the most frequent a hundred times as frequent as the hundredth."""
    p = 1 / (np.arange(vocabulary) + 3.0)
    return load_cupy().asarray(np.random.default_rng(0).choice(vocabulary, count, p=p / p.sum()))


def elementwise(size: int, dtype: str) -> Iterator[Measured]:
    """What goes over arrays entry by entry."""
    x, y = (rows_of(size, dtype, WIDTH) for _ in range(2))
    s, k = x.nbytes, cuda_ops
    yield "copy (CuPy's kernel)", x.copy, 2 * s
    yield "residual (CuPy's add)", lambda: x + y, 3 * s
    yield "residual (our add)", lambda: k.add(x, y, None), 3 * s
    bias = random_array(WIDTH)
    yield "add_bias", lambda: k.add_bias(y, bias), 2 * s
    for name in ("gelu_tanh", "gelu_erf", "silu"):
        yield f"{name} forward", lambda name=name: k.activation(name, x), 2 * s
        _, vjp = k.activation(name, x)
        yield f"{name} backward", lambda vjp=vjp: vjp(y, None), 3 * s
    for name in ("gelu_tanh", "gelu_erf"):
        yield f"{name} of x + bias, forward", lambda name=name: k.activation(name, x, bias), 2 * s
        _, vjp = k.activation(name, x, bias)
        yield f"{name} of x + bias, backward", lambda vjp=vjp: vjp(y, (True, False)), 3 * s
    yield "swiglu forward", lambda: k.swiglu(x, y), 3 * s
    _, swiglu_vjp = k.swiglu(x, y)
    yield "swiglu backward", lambda: swiglu_vjp(y, (True, True)), 5 * s
    counter = load_cupy().zeros(2, np.uint64)
    yield "dropout", lambda: k.dropout(x, 0.2, DeviceStream(counter)), 2 * s
    time = min(1024, len(x) * WIDTH // 64)
    heads, angles = x.reshape(-1)[: x.size // (time * 64) * time * 64].reshape(-1, time, 64), random_array((time, 32))
    yield "rope", lambda: k.rope(heads, angles, angles), 2 * heads.nbytes


def row_by_row(size: int, dtype: str, vocabulary: int) -> Iterator[Measured]:
    """What needs a number of the whole row, or of all rows."""
    x, g = (rows_of(size, dtype, WIDTH) for _ in range(2))
    w, b, s, k = random_array(WIDTH), random_array(WIDTH), x.nbytes, cuda_ops
    all_three = (True, True, True)
    yield "layer_norm forward", lambda: k.layer_norm(x, w, b, 1e-5), 2 * s
    _, norm_vjp = k.layer_norm(x, w, b, 1e-5)
    yield "layer_norm backward", lambda: norm_vjp(g, all_three), 3 * s
    yield "layer_norm backward, added to a gradient so far", lambda: norm_vjp(g, all_three, x), 4 * s
    yield "rms_norm forward", lambda: k.rms_norm(x, w, 1e-6), 2 * s
    _, rms_vjp = k.rms_norm(x, w, 1e-6)
    yield "rms_norm backward", lambda: rms_vjp(g, all_three), 3 * s
    yield "sum_rows", lambda: k.sum_rows(x), s
    for name, wide in (("softmax, rows of 1024", 1024), (f"softmax, rows of {vocabulary}", vocabulary)):
        scores, dy = (rows_of(size, dtype, wide) for _ in range(2))
        yield f"{name}, forward", lambda a=scores: k.normalized("softmax", a), 2 * scores.nbytes
        _, vjp = k.normalized("softmax", scores)
        yield f"{name}, backward", lambda vjp=vjp, dy=dy: vjp(dy, None), 3 * dy.nbytes
    logits = rows_of(size, dtype, vocabulary)
    targets, one = tokens(len(logits), vocabulary), random_array(())
    _, lse = k.cross_entropy(logits, targets, IGNORE, 0.0)
    yield f"cross_entropy {vocabulary}, forward", lambda: k.cross_entropy(logits, targets, IGNORE, 0.0), logits.nbytes
    args = logits, targets, lse, one, 1.0, IGNORE, 0.0
    yield (
        f"cross_entropy {vocabulary}, backward",
        lambda: k.cross_entropy_gradient(*args, out=logits),
        2 * logits.nbytes,
    )


def float32_alone(size: int, vocabulary: int) -> Iterator[Measured]:
    """The update, the norm, casts, and the table of the embedding."""
    cupy, k = load_cupy(), cuda_ops
    w, m, v, g = (random_array(size // 4, scale=0.01) for _ in range(4))
    v *= v
    settings, state = cupy.full(5, 1e-3, np.float32), cupy.asarray(np.array([0, 1, 1, -1], np.float32))
    n = w.size
    yield "adamw", lambda: k.adamw(w, m, v, g, n // 2, settings, state, (0.9, 0.95, 1e-8)), 7 * w.nbytes
    loss = random_array(())
    yield "gradient norm", lambda: k.square_norm(g, loss, 1.0, settings, state), g.nbytes
    half = cupy.empty(n, as_dtype("bfloat16"))
    yield "to bfloat16 (CuPy's astype)", lambda: w.astype(half.dtype), 1.5 * w.nbytes
    yield "to bfloat16 (ours)", lambda: k.cast(w, half.dtype), 1.5 * w.nbytes
    yield "to float32 (CuPy's astype)", lambda: half.astype(w.dtype), 1.5 * w.nbytes
    yield "to float32 (ours)", lambda: k.cast(half, w.dtype), 1.5 * w.nbytes
    table, ids = random_array((vocabulary, WIDTH)), tokens(max(1, size // 4 // WIDTH), vocabulary)
    yield "embedding forward", lambda: k.embedding(table, ids), 2 * 4 * WIDTH * ids.size


def embedding_backward(count: int, vocabulary: int, width: int, dtype: str) -> Measured:
    """For a batch of `count` tokens: its time grows with the square of that, so other sizes say nothing."""
    g, ids = random_array((count, width), dtype), tokens(count, vocabulary)
    table = random_array((vocabulary, width))
    touched = len(np.unique(ids.get())) * width * 8
    name = f"embedding backward, {count} tokens, vocabulary {vocabulary}, width {width}"
    return name, lambda: cuda_ops.add_rows_by_id(g, ids, table), g.nbytes + touched


def kernel_rows(how: Effort, smoke: bool) -> Iterator[tuple[str, str, Measured]]:
    """(dtype, size, kernel) for the whole table."""
    vocabulary, batch = (131, 64) if smoke else (VOCABULARY, 16 * 1024)
    for size in how.sizes:
        label = f"{size >> 20} MB"
        for dtype in ("float32", "bfloat16"):
            for one in elementwise(size, dtype):
                yield dtype, label, one
            for one in row_by_row(size, dtype, vocabulary):
                yield dtype, label, one
        for one in float32_alone(size, vocabulary):
            yield "float32", label, one
    for v, width in ((vocabulary, WIDTH), (65, 384)):
        for dtype in ("float32", "bfloat16"):
            one = embedding_backward(batch, v, width, dtype)
            yield dtype, f"{batch * width * as_dtype(dtype).itemsize >> 20} MB", one


# ---- attention ------------------------------------------------------------------------------------------------------

SHAPES = {
    "GPT-2, 16 x 12 heads, 1024 x 64": (16, 12, 12, 1024, 64, 0.0),
    "nanoGPT, 64 x 6 heads, 256 x 64": (64, 6, 6, 256, 64, 0.0),
    "nanoGPT, dropout 0.2": (64, 6, 6, 256, 64, 0.2),
    "long, 2 x 16 heads, 4096 x 128": (2, 16, 16, 4096, 128, 0.0),
    "grouped, 4 x 32 heads of 8, 2048 x 128": (4, 32, 8, 2048, 128, 0.0),
}
SMALL = {"small": (1, 2, 1, 40, 32, 0.2)}


def attention_tasks(shape: tuple, dtype: str) -> tuple[Callable, Callable, float]:
    """Forward, backward, and the floating-point operations of forward: two products over half of the T x T scores.

    Queries, keys and values lie side by side, as the model's linear layer makes them.
    """
    batch, heads, groups, time, size, p = shape
    cupy = load_cupy()

    def side_by_side(*counts: int) -> list:
        whole = random_array((batch, time, sum(counts), size), dtype)
        starts = np.cumsum([0, *counts])
        return [whole[:, :, a : a + n].transpose(0, 2, 1, 3) for a, n in zip(starts, counts)]

    q, k, v = side_by_side(heads, groups, groups)
    dq, dk, dv = side_by_side(heads, groups, groups)
    (out,), (g,) = side_by_side(heads), side_by_side(heads)
    lse, delta = (cupy.zeros((batch, heads, time), np.float32) for _ in range(2))
    options = {"causal": True, "scale": size**-0.5, "p": p, "counter": cupy.zeros(2, np.uint64) if p else None}
    operations = 4 * batch * heads * time * time * size / 2

    def forward() -> None:
        cuda_ops.flash_forward(q, k, v, out, lse, **options)

    def backward() -> None:
        cuda_ops.flash_backward(q, k, v, out, lse, g, dq, dk, dv, delta=delta, **options)

    return forward, backward, operations


def attention_ms(shape: tuple, dtype: str, how: Effort) -> dict[str, float]:
    """ms and TFLOP/s, forward and backward; backward counts five products, as everywhere, though it does seven."""
    forward, backward, operations = attention_tasks(shape, dtype)
    there, back = gpu_ms(forward, how), gpu_ms(backward, how)
    return {
        "forward_ms": there,
        "forward_tflops": operations / there / 1e9,
        "backward_ms": back,
        "backward_tflops": 2.5 * operations / back / 1e9,
    }


def sdpa_ms(shape: tuple, how: Effort) -> dict[str, float]:
    """PyTorch's attention on the same sizes in bfloat16, with whatever kernel it chooses."""
    import torch
    from torch.nn import functional as F

    batch, heads, groups, time, size, p = shape
    made = {"dtype": torch.bfloat16, "device": "cuda", "requires_grad": True}
    q, k, v = (torch.randn(batch, n, time, size, **made) for n in (heads, groups, groups))
    options = {"dropout_p": p, "is_causal": True, "enable_gqa": heads != groups}

    def forward() -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v, **options)

    out = forward()
    g = torch.randn_like(out)

    def backward() -> None:
        torch.autograd.grad(out, (q, k, v), g, retain_graph=True)

    def timed(task: Callable) -> float:
        times = []
        for _ in range(how.rounds + 2):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(how.calls):
                task()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) / how.calls)
        return statistics.median(times[2:])

    return {"torch_forward_ms": timed(forward), "torch_backward_ms": timed(backward)}
