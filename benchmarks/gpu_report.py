"""A training step taken apart: each kernel and product, timed by itself, beside what the machine can do.

One eager step is watched at the two places through which all our work goes, `launch` and cuBLAS's product. What it
asked for is then asked again, ten times in a recorded graph, with the same arrays: so a time knows nothing of gaps, and
finds in the cache what fits there. What the step takes beyond the sum are CuPy's own kernels, copies, and gaps.

The floor of each is the longer of two times, since memory and arithmetic go on at once: its bytes at the pace of a
copy, and its operations at that of a large product. An array that is read counts once, one that is written once, one
that is changed where it lies twice. Of an embedding's table only those rows count that the batch has, each of them
once; of rows that lie apart what is in them, not what is between them. A share may be above 100 %: arrays that the
cache holds are faster than a copy, and a GPU's clock is higher on a gradient's small numbers than on the large
product's random ones. Comparisons count as nothing: the sort of the embedding's ids, which is nothing else, has no
floor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gpu_clock import Effort, gpu_ms
from benchmarks.gpu_steps import Run, batches, make_model, ours, warmed_up
from tinygrad_llm.backend import cublas, launch
from tinygrad_llm.backend.stream import own_stream

PRODUCTS = {"forward": 2, "keys": 4, "queries": 3}
"""Products of T x S x K that an attention kernel makes of each head."""
IN_PLACE = {"adamw": (0, 1, 2), "sgd": (0, 1), "add_bias": (0,), "embedding_backward": (3,)}
"""Arguments that a kernel changes where they lie, by its name without the type: they are read and written."""
TABLES = {"embedding_forward": (0, 1), "embedding_backward": (3, 1)}
"""The argument of which only some rows are touched, and the one that says which."""


@dataclass(frozen=True)
class Call:
    """One thing that a step asked for: its name and sizes, how to ask again, bytes moved at least, operations."""

    name: str
    task: Callable[[], Any]
    moved: float
    operations: float
    args: tuple = ()

    def floor_ms(self, copy_gbs: float, tflops: float) -> float:
        """What it takes at least."""
        return max(self.moved / copy_gbs / 1e6, self.operations / tflops / 1e9)


def calls_of(run: Run, precision: str = "bf16") -> tuple[list[Call], float]:
    """What one step asks for, in order; and what a recorded step takes as a whole, in ms."""
    model, weights = make_model(run)
    source = batches(run)
    with own_stream("cuda"):
        graphed = warmed_up(ours(run, model, weights, precision, graph=True), source)
        graphed.turn(source, run.steps)
        whole = graphed.summary(run)["ms"]
        eager = warmed_up(ours(run, model, weights, precision, graph=False), source)
        seen: list[Call] = []
        with watched(seen):
            eager.step(*source[0])
        eager.loss()
    return seen, whole


@contextmanager
def watched(seen: list[Call]) -> Iterator[None]:
    """Notes every launch and every product that is asked for meanwhile."""
    find, multiply = launch._function, cublas.product

    def function(file: str, kernel: str) -> Any:
        return _Watched(find(file, kernel), kernel, seen)

    def product(left: Any, right: Any, out: Any, **options: Any) -> Any:
        sizes = f"{out.shape[-2]} x {left.shape[-1]} x {out.shape[-1]}"
        name = f"product {sizes} {left.dtype.name} to {out.dtype.name}" + " added" * options.get("accumulate", False)
        moved = left.nbytes + right.nbytes + out.nbytes * (1 + options.get("accumulate", False))
        operations = 2.0 * out.size * left.shape[-1]
        seen.append(Call(name, lambda: multiply(left, right, out, **options), moved, operations))
        return multiply(left, right, out, **options)

    launch._function, cublas.product = function, product
    try:
        yield
    finally:
        launch._function, cublas.product = find, multiply


class _Watched:
    """A kernel whose launches are noted."""

    def __init__(self, kernel: Any, name: str, seen: list[Call]) -> None:
        self.__dict__.update(kernel=kernel, name=name, seen=seen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kernel, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.kernel, name, value)

    def __call__(self, grid: tuple, block: tuple, args: tuple, shared_mem: int = 0) -> None:
        name = f"{self.name} {next(a for a in args if _is_array(a)).shape}"
        task = lambda: self.kernel(grid, block, args, shared_mem=shared_mem)  # noqa: E731
        self.seen.append(Call(name, task, _bytes(self.name, args), _operations(self.name, args), args))
        task()


def _is_array(argument: Any) -> bool:
    """One with more than a number in it."""
    return hasattr(argument, "nbytes") and bool(getattr(argument, "shape", ()))


def _bytes(name: str, args: tuple) -> float:
    """What a kernel moves at least; the ids of a table's rows are looked at for that."""
    kind = name.removesuffix("_float32").removesuffix("_bfloat16")
    table, ids = TABLES.get(kind, (None, None))
    total = 0.0
    for i, array in enumerate(args):
        if _is_array(array):
            share = len(np.unique(args[ids].get())) / len(array) if i == table else 1.0
            total += array.nbytes * share * (2 if i in IN_PLACE.get(kind, ()) else 1)
    return total


def _operations(name: str, args: tuple) -> float:
    """Of an attention kernel; of the others they do not count."""
    kind = next((kind for kind in PRODUCTS if name.startswith("attention") and f"_{kind}_" in name), None)
    if kind is None:
        return 0.0
    batch, heads, _, time, source, size, _, causal = [int(a) for a in args if isinstance(a, np.int32)][:8]
    return PRODUCTS[kind] * 2.0 * batch * heads * time * source * size * (0.5 if causal else 1.0)


def report(run: Run, how: Effort, copy_gbs: float, tflops: float) -> dict[str, Any]:
    """Prints the table, the most expensive first, and gives it."""
    calls, whole = calls_of(run)
    counts = Counter(call.name for call in calls)
    rows = []
    for call in {call.name: call for call in calls}.values():
        ms = gpu_ms(call.task, how)
        share = call.floor_ms(copy_gbs, tflops) / ms
        rows.append({"name": call.name, "calls": counts[call.name], "ms": ms, "of_floor": share})
    rows.sort(key=lambda row: -row["calls"] * row["ms"])
    print(f"{'ms a step':>10}{'calls':>7}{'us a call':>11}{'of floor':>10}  {run.name}: {whole:.2f} ms")
    for row in rows:
        total = row["calls"] * row["ms"]
        print(f"{total:10.3f}{row['calls']:7}{1e3 * row['ms']:11.1f}{row['of_floor']:10.0%}  {row['name']}", flush=True)
    known = sum(row["calls"] * row["ms"] for row in rows)
    print(f"{known:10.3f}{sum(counts.values()):7}{'':21}  together; {whole - known:.2f} ms for all else, and for gaps")
    return {"step_ms": whole, "known_ms": known, "rows": rows}
