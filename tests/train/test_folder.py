"""A run's folder from the first file to the last: log, lock, signals, and what a failure leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.errors import CheckpointError, ConfigError, DeviceError, NonFiniteError
from tinygrad_llm.train import (
    Interrupted,
    TrainConfig,
    load_checkpoint,
    resume_run,
    save_checkpoint,
    start_run,
    trainer,
)
from tinygrad_llm.train.config import ADDED_LATER, config_from_dict
from tinygrad_llm.train.lock import claimed, has_run, locked, newest
from tinygrad_llm.train.log import Log, curves, read_log
from tinygrad_llm.train.precision import activations, check_precision
from tinygrad_llm.train.run import tokenizer_of

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12


@pytest.fixture
def config(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    return TrainConfig(
        text=str(tmp_path / "text.txt"), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=6, batch_size=4, warmup=2,
        eval_every=4, checkpoint_every=4, log_every=1, threads="1", lr=1e-2,
    )  # fmt: skip


def quiet(line):
    return None


def stopped(config, out, at, **more):
    """A run to which a stop came during step `at`."""
    run = start_run(config, out)
    plain = run._one_step
    run._one_step = lambda bar: (plain(bar), setattr(run, "stop_asked", run.step_number == at))
    with pytest.raises(Interrupted):
        run.run(progress=False, report=quiet)
    return run


def to_the_end(run):
    """Interrupted is a KeyboardInterrupt, which would end all tests."""
    try:
        run.run(progress=False, report=quiet)
    except Interrupted as stop:
        pytest.fail(f"stopped by signal {stop.number}")


# ---- the log


def test_a_log_is_added_to_line_by_line_and_each_is_there_at_once(tmp_path):
    path = tmp_path / "log.jsonl"
    for number in range(4):
        log = Log(path)
        log.write("step", step=number, loss=1.0)
        log.write("eval", step=number, val_loss=2.0)
        assert len(path.read_text().splitlines()) == 2 * number + 2
    assert list(read_log(path))[-2:] == [
        {"event": "step", "step": 3, "loss": 1.0},
        {"event": "eval", "step": 3, "val_loss": 2.0},
    ]


@pytest.mark.parametrize("torn", ['{"event": "st', '{"event"', "{"])
def test_a_torn_line_costs_itself_and_no_other(torn, tmp_path):
    path = tmp_path / "log.jsonl"
    Log(path).write("step", step=1, loss=3.0)
    with open(path, "a") as file:
        file.write(torn)
    log = Log(path)
    log.write("step", step=2, loss=2.0)
    log.write("step", step=3, loss=1.0)
    assert curves(path) == ([(1, 3.0), (2, 2.0), (3, 1.0)], [])
    assert path.read_text().count("\n") == 4


def test_curves_are_in_order_the_later_of_two_and_of_finite_numbers(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    for step, loss in ((1, 9.0), (3, 8.0), (2, 7.0), (3, 6.0), (4, float("nan")), (5, float("inf"))):
        log.write("step", step=step, loss=loss)
    for step, loss in ((4, 5.0), (2, 4.5), (2, 4.0)):
        log.write("eval", step=step, val_loss=loss)
    log.write("report", best_val_loss=1.0)
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('[1, 2]\n{"event": "step", "step": "6", "loss": 1.0}\n')
    assert curves(tmp_path / "log.jsonl") == ([(1, 9.0), (2, 7.0), (3, 6.0)], [(2, 4.0), (4, 5.0)])


def test_the_log_of_a_stopped_run_tells_of_the_stop_and_of_going_on(config, tmp_path):
    stopped(config, tmp_path / "run", 3)
    resume_run(tmp_path / "run", {}).run(progress=False, report=quiet)
    told = [(e["event"], e["step"]) for e in read_log(tmp_path / "run" / "log.jsonl")]
    steps = [("step", n) for n in range(1, 7)]
    assert told == [
        ("start", 0), ("eval", 0), *steps[:3], ("interrupted", 3), ("resume", 3), steps[3], ("eval", 4), *steps[4:],
        ("eval", 6), ("end", 6),
    ]  # fmt: skip


def test_a_stop_in_the_last_step_is_the_end(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    plain = run._one_step
    run._one_step = lambda bar: (plain(bar), setattr(run, "stop_asked", run.step_number == 6))
    run.run(progress=False, report=quiet)
    assert [e["event"] for e in read_log(tmp_path / "run" / "log.jsonl")][-1] == "end"


# ---- what a failure leaves


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_run_that_failed_leaves_the_checkpoint_as_it_was(threads, config, tmp_path):
    run = start_run(replace(config, threads=threads), tmp_path / "run")
    plain, before = run._one_step, {}

    def poisoned(bar):
        if run.step_number == 5:
            folder = run.out / "checkpoint" / "last"
            before.update({path.name: path.read_bytes() for path in folder.iterdir()})
            run.loss = run.step.loss = lambda batch, **options: run.model.loss(batch, **options) * float("nan")
        plain(bar)

    run._one_step = poisoned
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=r"step 5, .*tensor token_embedding\.weight"):
        run.run(progress=False, report=quiet)
    assert {path.name: path.read_bytes() for path in (run.out / "checkpoint" / "last").iterdir()} == before
    last = list(read_log(run.out / "log.jsonl"))[-1]
    assert (
        (last["event"], last["step"]) == ("stopped", 5)
        and "not finite" not in last["reason"]
        and "nan" in last["reason"]
    )
    assert resume_run(run.out, {}).step_number == 4


def test_memory_that_does_not_hold_a_step_is_said_with_what_to_lower(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    run.make_step = lambda report: type(
        "Full",
        (),
        {"__call__": lambda *a: (_ for _ in ()).throw(MemoryError("8 GB")), "close": lambda s: None, "workers": None},
    )()
    with pytest.raises(
        DeviceError,
        match=r"too little \(8 GB\).*--batch-size \(4\) and double --accumulate \(1\).*--block-size \(8\).*n-layer \(1\)\.$",
    ):
        run.run(progress=False, report=quiet)


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP] if sys.platform != "win32" else [])
def test_a_signal_stops_after_the_step_a_second_one_at_once_and_handlers_come_back(number, config, tmp_path):
    before = {n: signal.getsignal(n) for n in trainer.STOPPING}
    signal.signal(number, signal.default_int_handler)  # whatever the terminal of this test ignores
    try:
        mine = {n: signal.getsignal(n) for n in trainer.STOPPING}
        run = start_run(config, tmp_path / "run")
        plain = run._one_step

        def once(bar):
            if run.step_number == 2:
                os.kill(os.getpid(), number)
            plain(bar)

        run._one_step = once
        with pytest.raises(Interrupted) as found:
            run.run(progress=False, report=quiet)
        assert found.value.number == number and run.step_number == 3
        assert {n: signal.getsignal(n) for n in trainer.STOPPING} == mine
        assert load_checkpoint(run.out / "checkpoint" / "last").document("state")["step"] == 3
        again = resume_run(run.out, {})

        def twice(bar):
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)

        again._one_step = twice
        with pytest.raises(KeyboardInterrupt) as found:
            again.run(progress=False, report=quiet)
        assert not isinstance(found.value, Interrupted)
        assert {n: signal.getsignal(n) for n in trainer.STOPPING} == mine
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


def test_threads_of_a_step_end_with_the_run(config, tmp_path):
    run = start_run(replace(config, threads="2"), tmp_path / "run")
    before, seen = sys.getswitchinterval(), set()
    earlier = workers()
    run.run(progress=False, report=lambda line: seen.update(workers()))
    assert seen - earlier and not workers() - earlier and sys.getswitchinterval() == before


def workers():
    return {thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")}


def test_what_a_run_of_threads_has_learned_is_evaluated_after_it_too(config, tmp_path):
    run = start_run(replace(config, threads="2"), tmp_path / "run")
    run.run(progress=False, report=quiet)
    last = [e for e in read_log(tmp_path / "run" / "log.jsonl") if e["event"] == "eval"][-1]
    assert run.evaluate() == last["val_loss"]


# ---- going on


def test_a_run_goes_on_from_its_last_checkpoint_and_not_from_its_best(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    losses = iter([3.0, 2.0, 2.5])
    run.evaluate = lambda: next(losses)
    run.run(progress=False, report=quiet)
    assert newest(run.out) == run.out / "checkpoint" / "last"
    resumed = resume_run(run.out, {"steps": 8})
    assert (resumed.step_number, resumed.best, resumed.config.steps) == (6, 2.0, 8)
    assert resumed.lr_at(8) == pytest.approx(config.final_lr) and resumed.lr_at(6) > config.final_lr
    resumed.evaluate = lambda: 2.2  # better than the last, not than the best
    assert resumed.run(progress=False, report=quiet) == 2.0
    assert load_checkpoint(run.out / "checkpoint" / "best").document("state")["step"] == 4
    assert json.loads((run.out / "config.json").read_text())["steps"] == 8


def test_where_the_best_is_all_there_is_a_run_goes_on_from_there(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    losses = iter([3.0, 2.0, 2.5])
    run.evaluate = lambda: next(losses)
    run.run(progress=False, report=quiet)
    shutil.rmtree(run.out / "checkpoint" / "last")
    resumed = resume_run(run.out, {})
    assert (resumed.step_number, resumed.best, newest(run.out).name) == (4, 2.0, "best")
    resumed.run(progress=False, report=quiet)
    assert load_checkpoint(run.out / "checkpoint" / "last").document("state")["step"] == 6


@pytest.mark.parametrize("saves", [0, 3])
def test_of_two_that_go_on_from_one_step_the_second_is_refused(saves, config, tmp_path):
    """Whether the folder held one checkpoint then, or the tenth."""
    stopped(replace(config, checkpoint_every=1), tmp_path / "run", 1 + saves)
    first, second = (resume_run(tmp_path / "run", {}) for _ in range(2))
    first.run(progress=False, report=quiet)
    kept = load_checkpoint(tmp_path / "run" / "checkpoint" / "last")
    with pytest.raises(ConfigError, match="Another process has gone on"):
        second.run(progress=False, report=quiet)
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").sequence == kept.sequence


def test_a_finished_run_that_is_run_again_does_nothing_more(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    best = run.run(progress=False, report=quiet)
    weights = run.optimizer.flat.data.copy()
    assert resume_run(run.out, {}).run(progress=False, report=quiet) == best
    np.testing.assert_array_equal(resume_run(run.out, {}).optimizer.flat.data, weights)


def test_a_trainer_that_was_stopped_goes_on_by_itself_to_the_same_bits(config, tmp_path):
    whole = start_run(config, tmp_path / "whole")
    best = whole.run(progress=False, report=quiet)
    run = stopped(config, tmp_path / "run", 5)
    assert run.run(progress=False, report=quiet) == best
    assert run.optimizer.flat.data.tobytes() == whole.optimizer.flat.data.tobytes()


def test_a_trainer_that_failed_after_its_best_was_saved_goes_on_by_itself(config, tmp_path):
    run = start_run(replace(config, eval_every=1), tmp_path / "run")
    losses, plain = iter([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0]), run._one_step
    run.evaluate = lambda: next(losses)

    def fault(bar):
        if run.step_number == 5:
            raise KeyError("a fault")
        plain(bar)

    run._one_step = fault
    with pytest.raises(KeyError):
        run.run(progress=False, report=quiet)
    steps = [load_checkpoint(run.out / "checkpoint" / name).document("state")["step"] for name in ("last", "best")]
    assert steps == [4, 5]
    run._one_step = plain
    assert run.run(progress=False, report=quiet) == 3.0


def test_before_any_evaluation_there_is_no_best(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    run._begin()
    state = load_checkpoint(run.out / "checkpoint" / "last").document("state")
    assert state["best"] is None and state["step"] == 0 and state["threads"] == 1
    assert resume_run(run.out, {}).best == float("inf")


def test_a_run_of_an_earlier_version_opens_with_the_defaults_of_what_came_later(config, tmp_path):
    run = start_run(replace(config, threads="auto"), tmp_path / "run")
    run.run(progress=False, report=quiet)
    last = run.out / "checkpoint" / "last"
    saved = load_checkpoint(last)
    old = {k: v for k, v in config.to_dict().items() if k not in ADDED_LATER}
    assert {"precision", "graph", "special", "newlines", "arch"} <= config.to_dict().keys() - old.keys()
    state = {k: v for k, v in saved.document("state").items() if k != "text_at"}
    state["corpus"] = {k: v for k, v in state["corpus"].items() if k != "val_checksum"}
    documents = {
        "config": saved.document("config"),
        "run": {"config": old},
        "state": state,
        "tokenizer": saved.document("tgl_tokenizer"),
    }
    save_checkpoint(last, saved.arrays, documents)
    assert tokenizer_of(load_checkpoint(last)).to_dict() == run.corpus.tokenizer.to_dict()
    assert resume_run(run.out, {}).config == config
    for document, said in (
        ({**old, "n_layers": 3}, "n_layers"),
        ({k: v for k, v in old.items() if k != "seed"}, "seed"),
    ):
        with pytest.raises(ConfigError, match=said):
            config_from_dict(document)


def test_what_a_checkpoint_lacks_is_named(config, tmp_path):
    save_checkpoint(tmp_path / "run" / "checkpoint" / "last", {}, {"state": {}})
    with pytest.raises(CheckpointError, match=r"run\.json.*Is it the checkpoint of a run"):
        resume_run(tmp_path / "run", {})


# ---- the folder


def test_a_folder_has_one_run_and_one_writer(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    with locked(tmp_path / "run"):
        assert (tmp_path / "run" / "lock").read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"
        with pytest.raises(ConfigError, match="no other run is writing"):
            run.run(progress=False, report=quiet)
        assert not has_run(tmp_path / "run")
    run.run(progress=False, report=quiet)
    with pytest.raises(ConfigError, match="a folder without a run"):
        start_run(config, tmp_path / "run")
    late = start_run(config, None)
    late.move_to(tmp_path / "run")
    with pytest.raises(ConfigError, match="a folder without a run"):
        late.run(progress=False, report=quiet)
    assert [claimed(tmp_path / "run").name, claimed(tmp_path / "new").name] == ["run-2", "new"]


def test_each_setting_of_precision_is_refused_where_it_cannot_be():
    for precision in ("tf32", "bf16"):
        with pytest.raises(ConfigError, match="fp32 on the CPU"):
            check_precision(precision, "cpu")
    with pytest.raises(ConfigError, match="fp32 or tf32 or bf16"):
        check_precision("fp16", "cpu")
    with pytest.raises(ConfigError, match="float32 for training on a GPU"):
        check_precision("fp32", "cuda", "float64")
    check_precision("fp32", "cpu", "float64")
    check_precision("fp32", "cuda")
    assert activations("fp32") is None and activations("tf32") is None


def test_a_run_refuses_a_precision_before_it_reads_a_text(config, tmp_path):
    with pytest.raises(ConfigError, match="precision"):
        start_run(replace(config, precision="bf16", text=str(tmp_path / "none.txt")), tmp_path / "run")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_signal_that_was_ignored_before_does_not_stop_the_run(config, tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        run = start_run(config, tmp_path / "run")
        plain = run._one_step
        run._one_step = lambda bar: (plain(bar), os.kill(os.getpid(), signal.SIGHUP))
        to_the_end(run)
        assert run.step_number == config.steps and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_that_was_stopped_goes_on_when_it_is_run_again(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    plain = run._one_step
    run._one_step = lambda bar: (plain(bar), setattr(run, "stop_asked", run.step_number == 2 and signal.SIGINT))
    with pytest.raises(Interrupted):
        run.run(progress=False, report=quiet)
    run._one_step = plain
    to_the_end(run)
    assert run.step_number == config.steps
