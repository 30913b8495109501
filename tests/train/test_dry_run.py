"""What a run will need, told before it starts: held against what larger steps then do need."""

from __future__ import annotations

import json
import threading
import tracemalloc
from pathlib import Path

import pytest

from tinygrad_llm.cli.main import main
from tinygrad_llm.train import PRESETS, TrainConfig, dry_run, start_run
from tinygrad_llm.train.dry_run import Memory, needed, step_of

SMALL = {"n_layer": 2, "n_embd": 64, "n_head": 4, "block_size": 64, "batch_size": 4, "threads": 1}


def config(**other):
    return TrainConfig(**{**PRESETS["tales"], **SMALL, **other})


def measured(examples: int, **other) -> int:
    """Bytes that Python counts at most while a run takes one step, those among them that it had before.

    Workers wait for one another where each has all that its backward pass will read.
    """
    tracemalloc.start()
    try:
        trainer = start_run(config(**other), None)
        loss, all_there = trainer.loss, threading.Barrier(trainer.threads)

        def forward(*batch, **options):
            value = loss(*batch, **options)
            all_there.wait(60)
            return value

        trainer.loss = forward
        tracemalloc.reset_peak()  # making the text of tales takes more than a step
        step_of(trainer, examples)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_of_many_examples_needs_what_two_small_ones_tell(threads):
    _, told = needed(lambda: start_run(config(threads=threads), None))
    for examples in (8, 32):
        assert told.of(examples) == pytest.approx(measured(examples, threads=threads), rel=0.12)


def test_every_worker_has_a_gradient_of_its_own():
    (trainer, one), (_, two) = (needed(lambda n=n: start_run(config(threads=n), None)) for n in (1, 2))
    gradient = 4 * trainer.model.n_parameters()
    assert gradient < two.fixed - one.fixed < 3 * gradient
    assert two.example == pytest.approx(one.example, rel=0.05)


def test_weights_gradient_and_moments_are_there_whatever_the_batch_and_texts_are_by_their_length():
    trainer, told = needed(lambda: start_run(config(), None))
    assert told.fixed >= 4 * 4 * trainer.model.n_parameters()
    _, longer = needed(lambda: start_run(config(block_size=128), None))
    assert 1.8 * told.example < longer.example < 3 * told.example


def test_what_fits_fits_and_one_more_does_not():
    told = Memory(1000.0, 64.0, 5000)
    assert told.of(told.largest) <= 5000 < told.of(told.largest + 1)
    assert Memory(6000.0, 64.0, 5000).largest == 0
    assert Memory(1000.0, 64.0, None).largest is None
    judged = Memory(1000.0, 64.0, 5000, judged=16.0)
    assert judged.of(judged.largest) == 5000 and judged.of(10) == 1800


def called(capsys, *flags: str) -> tuple[dict, str]:
    status = main(["train", "--preset", "tales", *[w for k, v in SMALL.items() for w in (f"--{k.replace('_', '-')}", str(v))], *flags])  # fmt: skip
    printed = capsys.readouterr().out
    assert status == 0
    return json.loads(printed.splitlines()[-1]), printed


def test_the_command_says_it_and_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, printed = called(capsys, "--dry-run")
    assert "examples of 64 tokens" in printed and f"--batch-size up to {found['largest']:,} fits" in printed
    assert not list(Path().iterdir())


def test_where_a_batch_does_not_fit_the_same_step_in_less_memory_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _ = called(capsys, "--dry-run")
    room = int(found["fixed"] + 5.5 * found["example"])
    monkeypatch.setattr(dry_run, "memory", lambda: room)
    less, printed = called(capsys, "--dry-run", "--batch-size", "12")
    assert less["largest"] in (4, 5) and f"--batch-size {12 // 3} --accumulate 3" in printed
    monkeypatch.setattr(dry_run, "memory", lambda: 1000)
    assert "not even one example fits" in called(capsys, "--dry-run")[1]


@pytest.mark.parametrize("flags", [["--resume"], ["--text", "-"]])
def test_what_a_dry_run_cannot_do_is_refused(flags, capsys):
    assert main(["train", "--dry-run", *flags]) != 0
    assert "--dry-run" in capsys.readouterr().err
