"""What `tgl train --dry-run` tells of a preset on a GPU, beside what steps of that run then hold.

step, told    what is told: of steps alone, and with what an evaluation takes beside a recorded one.
eager, graph  held after some steps of the preset's batch.
evaluated     the same as the run takes them, and an evaluation before them, which gives back what it took where
              the step is recorded.
largest       one step of the largest batch that is told to fit.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_setting import Setting, complain, rounded
from tinygrad_llm.backend.cuda import free_unused, load_cupy
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.train import PRESETS, TrainConfig, Trainer, start_run
from tinygrad_llm.train.device_step import GraphedStep
from tinygrad_llm.train.dry_run import Memory, needed

ALPHABETS = {"shakespeare-gpu": 65, "gpt2-124m": 50257}
"""The presets, and the sizes of their vocabularies."""
SMALL = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 8, "batch_size": 2}
FIRST_CHARACTER = 0x100
"""From here on 50257 code points are characters, none of which ends a line."""
STEPS = GraphedStep.WARM_UP + 2
"""Of a run: a graph is recorded among them and replayed."""
LARGEST_UNTIL = 17.0
"""Seconds from the part's beginning after which no batch is tried that just fits."""


def config(preset: str, folder: Path, smoke: bool) -> TrainConfig:
    """The preset's, on a text made here whose letters are as many as its tokenizer has tokens: no file is needed."""
    letters = 100 if smoke else ALPHABETS[preset]
    small = SMALL if smoke else {}
    settings = PRESETS[preset] | {"tokenizer": "char", "device": "cuda", "text": str(folder / f"{preset}.txt")} | small
    made = TrainConfig(**settings)
    alphabet = "".join(map(chr, range(FIRST_CHARACTER, FIRST_CHARACTER + letters)))
    times = 1 + 12 * made.block_size // letters
    Path(str(made.text)).write_text(times * alphabet, encoding="utf-8")
    return made


def told(config: TrainConfig) -> tuple[Trainer, Memory]:
    """As `tgl train --dry-run` asks for it; the run's graph is as it was."""
    collect()
    trainer, memory = needed(lambda: start_run(config, None))
    trainer.config = replace(trainer.config, graph=config.graph)
    return trainer, memory


def held(trainer: Trainer, examples: int, graph: bool, steps: int = STEPS, evaluated: bool = False) -> int:
    """Bytes that CuPy keeps for a run after some steps of so many examples.  Raises RuntimeError without its graph.

    evaluated  the run's first evaluation comes before them, as in a run.
    """
    batch = {name: np.resize(rows, (examples, *rows.shape[1:])) for name, rows in trainer.batches[0].items()}
    kept, trainer.config = trainer.config, replace(trainer.config, graph=graph)
    failures: list[str] = []
    collect()
    with own_stream(trainer.device):
        if evaluated:
            evaluate(trainer)
        step: Any = trainer.make_step(failures.append)
        try:
            for number in range(steps):
                step([batch], number, trainer.lr_at(number + 1), trainer.divisor([batch]))
            step.read()
            if failures:
                raise RuntimeError(failures[0])
            apart = graph and load_cupy().__version__ != "stand-in"  # whose pools all count the same arrays
            return pool_bytes() + (int(step.graph.pool.total_bytes()) if apart else 0)
        finally:
            step.close()
            trainer.config = kept


def evaluate(trainer: Trainer) -> None:
    """One whole batch of held-out text, which has four times as many examples as one to learn from."""
    c, corpus = trainer.config, trainer.corpus
    trainer.config = replace(c, eval_batches=1)
    trainer.corpus = replace(corpus, val=np.resize(corpus.val, 4 * c.batch_size * c.block_size + 1))
    try:
        trainer.evaluate()
    finally:
        trainer.config, trainer.corpus = c, corpus


def pool_bytes() -> int:
    """Bytes of CuPy's own pool, used or kept."""
    return int(load_cupy().get_default_memory_pool().total_bytes())


def collect() -> None:
    """What nobody uses any more goes back to the GPU."""
    gc.collect()
    free_unused()


# ---- the part -------------------------------------------------------------------------------------------------------


def memory(setting: Setting) -> None:
    """What a dry run tells of two presets, and what steps of them hold: eager, as a graph, and where it just fits."""
    start, found = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for preset in ALPHABETS:
            c = config(preset, Path(folder), setting.smoke)
            trainer, need = told(c)
            largest = need.largest or 0
            found.append({"preset": preset, "batch": c.batch_size, "parameters": trainer.model.n_parameters()})
            found[-1] |= {"fixed_gb": need.fixed / 1e9, "example_gb": need.example / 1e9, "largest": largest}
            found[-1] |= {"step_gb": need.of_step(c.batch_size) / 1e9, "room_gb": (need.room or 0) / 1e9}
            found[-1] |= {"told_gb": need.of(c.batch_size) / 1e9}
            print("  ".join(f"{name} {value}" for name, value in rounded(found[-1]).items()), flush=True)
            setting.tell(rows=rounded(found))
            tasks: dict[str, Callable[[], int]] = {"eager": partial(held, trainer, c.batch_size, graph=False)}
            if c.graph:
                tasks["graph"] = partial(held, trainer, c.batch_size, graph=True)
            tasks["evaluated"] = partial(held, trainer, c.batch_size, graph=c.graph, evaluated=True)
            if largest and not setting.smoke:
                tasks["largest"] = partial(held, trainer, largest, graph=False, steps=1)
            for name, task in tasks.items():
                if name == "largest" and time.perf_counter() - start > LARGEST_UNTIL:
                    found[-1]["largest_error"] = "no time was left to try it"
                    continue
                found[-1] |= what_is_held(
                    preset, name, task, need.of_step(largest if name == "largest" else c.batch_size)
                )
                setting.tell(rows=rounded(found))
            del trainer, tasks, task  # the next one's is to be counted alone


def what_is_held(preset: str, name: str, task: Callable[[], int], told: float) -> dict[str, Any]:
    """GB, or why there is no number; printed beside what was told."""
    try:
        bytes_held = task()
    except Exception as error:
        complain(f"{preset}, {name}", error)
        return {f"{name}_error": f"{type(error).__name__}: {str(error)[:300]}"}
    print(
        f"{preset}, {name:10} holds {bytes_held / 1e9:8.4g} GB, {bytes_held / told:6.1%} of what was told", flush=True
    )
    return {f"{name}_gb": bytes_held / 1e9}
