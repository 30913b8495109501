"""Decoding on a GPU, one recorded step a token, beside PyTorch's own cached loop: tokens a second in float32."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu_steps import GPT2, NANOGPT, SMALL, Run
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models.gpt import GPT, GPTConfig

ROUNDS = 3


def rows(smoke: bool) -> list[tuple[Run, int]]:
    """Models and batch sizes."""
    return [(SMALL, 1)] if smoke else [(run, batch) for run in (NANOGPT, GPT2) for batch in (1, 64)]


def measured(run: Run, batch: int, with_torch: bool) -> dict[str, Any]:
    """Median tokens a second of some rounds, in turns; what is warmed up first is not counted."""
    length = min(run.config["block_size"], 256)
    config = GPTConfig(**run.config | {"block_size": length, "dropout": 0.0}, bias=False)
    model = GPT(config, rng=np.random.default_rng(0))
    writers: dict[str, Callable[[], int]] = {}
    if with_torch:
        from benchmarks.torch_gpt import CachedLoop, like

        writers["torch"] = CachedLoop(like(model).to("cuda"), batch, length).write
    model.to("cuda")
    rng = np.random.default_rng(0)
    writers["ours"] = lambda: sum(map(len, generate(model, [[0]] * batch, length - 1, Sampler(), rng).tokens))
    rates: dict[str, list[float]] = {name: [] for name in writers}
    for turn in range(ROUNDS + 1):
        for name, write in writers.items():
            start = time.perf_counter()
            count = write()
            if turn:
                rates[name].append(count / (time.perf_counter() - start))
    return {"name": run.name, "batch": batch} | {f"{n}_tok_s": round(statistics.median(r)) for n, r in rates.items()}
