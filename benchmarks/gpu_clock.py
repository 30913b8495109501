"""Time on a GPU: events in its own stream, after a warm-up, and what the machine can do at best."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.backend import as_dtype, gemm, tf32_products
from tinygrad_llm.backend.cuda import free_unused, load_cupy
from tinygrad_llm.backend.stream import Graph, own_stream


@dataclass(frozen=True)
class Effort:
    """How much is measured: bytes of each array, calls recorded together, rounds of them, side of square matrices."""

    sizes: tuple[int, ...] = (64 << 20, 256 << 20)
    calls: int = 10
    rounds: int = 9
    side: int = 8192


FULL, TINY = Effort(), Effort(sizes=(2048,), calls=1, rounds=1, side=16)


def effort(smoke: bool) -> Effort:
    """A GPU's, or the stand-in's."""
    return TINY if smoke else FULL


def gpu_ms(task: Callable[[], Any], how: Effort, record: bool = True) -> float:
    """The median time of one call in ms. Some are recorded as a graph, so that the host's pace does not matter."""
    cupy = load_cupy()

    def some() -> None:
        for _ in range(how.calls):
            task()

    with own_stream("cuda"):
        graph, again = Graph(), some
        with graph.memory():
            task()  # kernels are compiled
            task()
        if record:
            with graph.recording():
                some()
            again = graph.launch
        again()
        times = []
        for _ in range(how.rounds):
            start, end = cupy.cuda.Event(), cupy.cuda.Event()
            start.record()
            again()
            end.record()
            end.synchronize()
            times.append(cupy.cuda.get_elapsed_time(start, end) / how.calls)
        return statistics.median(times)


def random_array(shape: Any, dtype: str = "float32", scale: float = 1.0) -> Any:
    """Numbers between -scale and scale on the GPU: a thousand drawn ones over and over, since drawing takes long."""
    cupy = load_cupy()
    few = cupy.asarray(np.random.default_rng(0).uniform(-scale, scale, 1021).astype(as_dtype(dtype)))
    size = int(np.prod(shape))
    return few[cupy.arange(size) % few.size].reshape(shape)


def copy_rates(how: Effort) -> dict[str, float]:
    """GB/s of CUDA's own copy by the size of the array in MB, bytes read and written."""
    rates = {}
    for size in how.sizes:
        x = random_array(size // 4)
        y = load_cupy().empty_like(x)
        copy = partial(y.data.copy_from_device_async, x.data, x.nbytes)
        rates[str(size >> 20)] = 2 * x.nbytes / gpu_ms(copy, how, record=False) / 1e6
        free_unused()
    return rates


def product_rate(n: int, i: int, o: int, precision: str, how: Effort, back: bool = False) -> float:
    """TFLOP/s of (n, i) @ (i, o) with the second factor as a linear layer has it, or of what goes back through it."""
    dtype = "bfloat16" if precision == "bf16" else "float32"
    x, w = random_array((n, o if back else i), dtype), random_array((o, i), dtype)
    with tf32_products(precision == "tf32"):
        ms = gpu_ms(lambda: gemm(x, w, transpose_b=not back), how)
    return 2 * n * i * o / ms / 1e9


def matrix_rates(how: Effort) -> dict[str, float]:
    """TFLOP/s of a large square product in each precision."""
    sides = {"bf16": how.side, "tf32": how.side, "fp32": how.side // 2}
    return {precision: product_rate(side, side, side, precision, how) for precision, side in sides.items()}
