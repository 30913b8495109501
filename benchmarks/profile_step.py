"""Where a training step's time goes, operation by operation, forward and backward.

    python -m benchmarks.profile_step [--row 1] [--steps 40]

One thread on its half of a row's batch, as `ThreadedStep` gives it. NumPy's ufuncs count for the Python function that
calls them, so a function's own time is what its operation costs. The profiler itself lengthens every call by a
fraction of a microsecond: the total without it stands beside. Prints a table, and one JSON line last.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.workload import ROWS, batches, config_of
from tinygrad_llm.backend import keep_freed_pages
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.step import EagerStep

THREADS = 2
SHOWN = 18


def profile(row: dict, steps: int) -> tuple[pstats.Stats, float]:
    """The profile of `steps` steps of one thread's share, and the milliseconds of a step without the profiler."""
    keep_freed_pages()
    model = GPT(GPTConfig(bias=False, **config_of(row)), rng=np.random.default_rng(0))
    step = EagerStep(model.loss, AdamW(model.named_parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1))
    source = batches(row | {"batch": row["batch"] // THREADS})
    work = [dict(zip(("tokens", "targets"), next(source))) for _ in range(steps)]
    times = []
    for batch in work:
        start = time.perf_counter()
        step([batch], 0, 1e-3, batch["targets"].size)
        times.append(time.perf_counter() - start)
    profiler = cProfile.Profile()
    profiler.enable()
    for batch in work:
        step([batch], 0, 1e-3, batch["targets"].size)
    profiler.disable()
    return pstats.Stats(profiler), statistics.median(times) * 1e3


def own_times(stats: pstats.Stats, steps: int) -> dict[str, float]:
    """Milliseconds a step by function, the largest first; built-in functions that are not ufuncs stand by name."""
    times: dict[str, float] = {}
    for (file, line, function), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        place = f"{Path(file).parent.name}/{Path(file).name}:{line} " if line else ""
        times[f"{place}{function}"] = own * 1e3 / steps
    return dict(sorted(times.items(), key=lambda item: -item[1]))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--row", type=int, default=1, help="which row of train_step, counted from 1")
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with threadpool_limits(1):
        stats, plain = profile(ROWS[options.row - 1], options.steps)
    times = own_times(stats, options.steps)
    total = sum(times.values())
    print(f"{ROWS[options.row - 1]['name']}, one of {THREADS} threads: {plain:.2f} ms a step, {total:.2f} profiled")
    shown = dict(list(times.items())[:SHOWN])
    for name, ms in shown.items():
        print(f"{ms:8.2f} ms {ms / total:6.1%}  {name}")
    own = {name: round(ms, 3) for name, ms in shown.items()}
    print(json.dumps({"row": options.row, "ms": round(plain, 3), "profiled_ms": round(total, 3), "own_ms": own}))


if __name__ == "__main__":
    main()
