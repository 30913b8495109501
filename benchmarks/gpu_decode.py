"""Decoding on a GPU, one recorded step a token, beside PyTorch's own cached loops: tokens a second in float32.

First beside the loop that PyTorch runs operation by operation, which takes seconds; then, where there is time, beside
the one that it compiles and replays as a CUDA graph, for which it needs half a minute. Each time both take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gpu_setting import Setting, complain, has_torch
from benchmarks.gpu_steps import GPT2, NANOGPT, SMALL, Run
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models.gpt import GPT, GPTConfig

ROUNDS = 3
MOST_SECONDS = 75.0
"""For the whole part: a step is compiled where it can be expected to be ready and measured by then."""


@dataclass(frozen=True)
class Pair:
    """A model, and the same in PyTorch where that takes part; how long the texts are."""

    run: Run
    length: int
    ours: GPT
    theirs: Any

    def write(self, batch: int) -> int:
        """Texts of ours; how many tokens."""
        rng = np.random.default_rng(0)
        return sum(map(len, generate(self.ours, [[0]] * batch, self.length - 1, Sampler(), rng).tokens))


def rows(smoke: bool) -> list[tuple[Run, int]]:
    """Models and batch sizes, the quickest first."""
    return [(SMALL, 1)] if smoke else [(run, batch) for run in (NANOGPT, GPT2) for batch in (1, 64)]


def make_pair(run: Run, with_torch: bool, device: str = "cuda") -> Pair:
    """The model of a run without dropout, for texts of 256 tokens at most."""
    length = min(run.config["block_size"], 256)
    config = GPTConfig(**run.config | {"block_size": length, "dropout": 0.0}, bias=False)
    model, theirs = GPT(config, rng=np.random.default_rng(0)), None
    if with_torch:
        from benchmarks.torch_gpt import like

        theirs = like(model).to(device)
    return Pair(run, length, model.to(device), theirs)


def beside_cached_loop(pair: Pair, batch: int) -> dict[str, Any]:
    """Ours, and PyTorch's step by step where that takes part."""
    writers: dict[str, Callable[[], int]] = {}
    if pair.theirs is not None:
        from benchmarks.torch_gpt import CachedLoop

        writers["torch_tok_s"] = CachedLoop(pair.theirs, batch, pair.length).write
    writers["ours_tok_s"] = lambda: pair.write(batch)
    return {"name": pair.run.name, "batch": batch} | in_turns(writers)


def beside_compiled_loop(pair: Pair, batch: int, **compiling: Any) -> dict[str, Any]:
    """PyTorch's compiled, ours beside it once more, and how long compiling took.

    no_graph  why PyTorch replays no graph, where it says so: it goes on without one.
    """
    import torch
    from torch._dynamo.utils import counters

    from benchmarks.torch_gpt import CompiledLoop

    torch.compiler.reset()  # what was compiled before holds its graphs' memory, and counts as another version of this
    counters.clear()
    start = time.perf_counter()
    loop = CompiledLoop(pair.theirs, batch, pair.length, **compiling or {"mode": "reduce-overhead"})
    loop.write()
    found: dict[str, Any] = {"compiled_in_s": round(time.perf_counter() - start, 1)}
    rates = in_turns({"torch_compiled_tok_s": loop.write, "ours_beside_it_tok_s": lambda: pair.write(batch)})
    if skipped := counters["inductor"]["cudagraph_skips"]:
        found["no_graph"] = f"PyTorch left out {skipped} CUDA graphs"
    return rates | found


def in_turns(writers: dict[str, Callable[[], int]]) -> dict[str, int]:
    """Median tokens a second of some rounds, by name; the first round is not counted."""
    rates: dict[str, list[float]] = {name: [] for name in writers}
    for turn in range(ROUNDS + 1):
        for name, write in writers.items():
            start = time.perf_counter()
            count = write()
            if turn:
                rates[name].append(count / (time.perf_counter() - start))
    return {name: round(statistics.median(values)) for name, values in rates.items()}


# ---- the part -------------------------------------------------------------------------------------------------------


def decode(setting: Setting) -> None:
    """Tokens a second with a cache, a step a graph, beside PyTorch's cached loop; then beside its compiled one."""
    start, with_torch = time.perf_counter(), not setting.smoke and has_torch()
    pairs: dict[str, Pair] = {}
    found = []
    for run, batch in rows(setting.smoke):
        if run.name not in pairs:
            pairs[run.name] = make_pair(run, with_torch)
        found.append(beside_cached_loop(pairs[run.name], batch))
        print("  ".join(f"{name} {value}" for name, value in found[-1].items()), flush=True)
        setting.tell(rows=found)
    if with_torch:
        beside_compiled(setting, list(pairs.values()), found, start)


def beside_compiled(setting: Setting, pairs: list[Pair], found: list[dict], start: float) -> None:
    """PyTorch's compiled loop added to each row, the largest model first, as long as there is time for it.

    A row whose step does not compile says why, and keeps the rest. The first one is tried whatever time it is; another
    is expected to take as long a layer as the last one.
    """
    order = [(pair, row) for pair in pairs for row in found if row["name"] == pair.run.name]
    order.sort(key=lambda both: -both[0].ours.n_parameters())
    pace = 0.0
    for pair, row in order:
        label = f"{row['name']}, batch {row['batch']}, PyTorch compiled"
        layers, begun = pair.run.config["n_layer"], time.perf_counter()
        if pace and begun - start + pace * layers > MOST_SECONDS:
            row["torch_compiled"] = "no time was left to compile it"
            print(f"{label}: {row['torch_compiled']}", flush=True)
        else:
            try:
                more = beside_compiled_loop(pair, row["batch"])
            except Exception as error:
                complain(label, error)
                more = {"torch_compiled": f"{type(error).__name__}: {str(error)[:400]}"}
            pace = (time.perf_counter() - begun) / layers
            row |= more
            print(f"{label}: " + "  ".join(f"{name} {value}" for name, value in more.items()), flush=True)
        setting.tell(rows=found)
