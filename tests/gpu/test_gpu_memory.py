"""What a dry run tells of a run on a GPU, held against what a run of eight times as many examples takes."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.train import TrainConfig, Trainer, start_run
from tinygrad_llm.train.dry_run import needed

pytestmark = pytest.mark.gpu
NEAR = 0.12
"""As on the CPU: tests/train/test_dry_run.py."""
LARGE = {"n_layer": 4, "n_head": 4, "n_embd": 256, "block_size": 256}
TINY = {"n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 32}
MEASURED, TIMES = 3, 8
"""Examples of the larger of a dry run's two steps, and how many times as many the run has."""
MB = 1e6


def config(folder: Path, on_standin: bool, **other) -> TrainConfig:
    """Its held-out text is one window and a bit: what is judged takes less than a step."""
    sizes = TINY if on_standin else LARGE
    text = folder / "text.txt"
    count = 12 * sizes["block_size"]
    text.write_text(("the quick brown fox jumps over the lazy dog, and the dog sleeps on. " * count)[:count])
    return TrainConfig(
        text=str(text), device="cuda", threads="16", steps=6, batch_size=TIMES * MEASURED, warmup=1, log_every=2, **sizes,
        **other,
    )  # fmt: skip


def in_pools(cupy, trainer: Trainer | None = None) -> int:
    """Bytes that CuPy holds, used and kept, those of a run's graph among them."""
    total = cupy.get_default_memory_pool().total_bytes()
    graph = getattr(getattr(trainer, "step", None), "graph", None)
    apart = graph is not None and cupy.__version__ != "stand-in"  # where all pools count the same arrays
    return total + (graph.pool.total_bytes() if apart else 0)


def emptied(cupy) -> int:
    """Bytes that stay when all is given back that can be."""
    gc.collect()
    cupy.get_default_memory_pool().free_all_blocks()
    return in_pools(cupy)


@pytest.mark.parametrize("precision, graph", [("fp32", False), ("fp32", True), ("bf16", True)])
def test_a_run_of_many_examples_holds_what_two_small_steps_tell(
    precision, graph, cupy, on_standin, tmp_path, request, monkeypatch
):
    if precision == "bf16":
        request.getfixturevalue("tensor_cores")
    monkeypatch.setattr("tinygrad_llm.train.trainer.free_unused", lambda: None)  # the next test's; on the stand-in, all
    settings = config(tmp_path, on_standin, precision=precision, graph=graph)
    before = emptied(cupy)
    trainer, memory = needed(lambda: start_run(settings, None))
    parameters = trainer.model.n_parameters()
    del trainer
    assert emptied(cupy) - before < 0.05 * memory.fixed  # else one's memory is counted as the other's
    before = in_pools(cupy)
    trainer = start_run(settings, tmp_path / "run")
    trainer.run(progress=False, report=lambda line: None)
    if graph:
        assert trainer.step.graph.recorded is not None, trainer.step.failure
    held, told = in_pools(cupy, trainer) - before, memory.of_step(settings.batch_size) - before
    words = f"told {told / MB:.1f} MB ({memory.fixed / MB:.1f} + {settings.batch_size} x {memory.example / MB:.2f})"
    print(f"{words}, held {held / MB:.1f} MB: {held / told:.3f} of it")
    assert held == pytest.approx(told, rel=NEAR), f"{words}, held {held / MB:.1f} MB: {held / told:.3f} of it"
    assert memory.fixed < 0.5 * told, "activations are to dominate, or this shows nothing of them"
    assert 4 * 4 * parameters < memory.fixed - before  # weights, gradient, two moments
    assert memory.largest > settings.batch_size and memory.room >= memory.of(memory.largest)
    assert (memory.judged > 0) == graph


def test_an_evaluation_beside_a_recorded_step_takes_what_is_told(cupy, on_standin, tmp_path):
    """Whatever the held-out text: as many examples at once as a step has, and afterwards nothing is kept."""
    settings = config(tmp_path, on_standin, graph=True)
    trainer, memory = needed(lambda: start_run(settings, None))
    trainer.config = replace(trainer.config, graph=True)
    length = 4 * settings.batch_size * settings.block_size + 1  # one batch of evaluation
    trainer.corpus = replace(trainer.corpus, val=np.resize(trainer.corpus.val, length))
    kept = emptied(cupy)
    most, loss = [], trainer.loss

    def watched(*batch, **options):
        value = loss(*batch, **options)
        most.append(in_pools(cupy))
        return value

    trainer.loss = watched
    trainer.evaluate()
    assert len(most) == 4 and in_pools(cupy) - kept < 0.1 * memory.judged * settings.batch_size
    assert max(most) - kept == pytest.approx(memory.judged * settings.batch_size, rel=NEAR)


@pytest.mark.parametrize("balance", [0.0, 0.1])
def test_what_is_judged_is_cut_though_what_is_trained_couples_examples(balance, cupy, on_standin, tmp_path):
    settings = replace(
        config(tmp_path, True, graph=True),
        arch="mixtral",
        n_experts=3,
        experts_per_token=2,
        balance=balance,
        batch_size=4,
    )
    trainer = start_run(settings, None)
    trainer.corpus = replace(trainer.corpus, val=np.resize(trainer.corpus.val, 16 * settings.block_size + 1))
    sizes, hidden = [], trainer.model.hidden

    def watched(tokens, **options):
        sizes.append(len(tokens))
        return hidden(tokens, **options)

    object.__setattr__(trainer.model, "hidden", watched)
    trainer.evaluate()
    assert sizes == [4] * 4
