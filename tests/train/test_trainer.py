"""A run: what it leaves behind, and that it can be stopped at any moment and go on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.errors import CheckpointError, ConfigError, DataError, DeviceError, NonFiniteError, StorageError
from tinygrad_llm.models import from_pretrained
from tinygrad_llm.train import PRESETS, Interrupted, TrainConfig, load_checkpoint, model_of, resume_run, start_run
from tinygrad_llm.train.config import config_from_dict
from tinygrad_llm.train.log import Log, curves, read_log

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12


@pytest.fixture
def config(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    return TrainConfig(
        text=str(tmp_path / "text.txt"), n_layer=1, n_head=2, n_embd=16, block_size=8, steps=12, batch_size=4, warmup=2,
        eval_every=4, checkpoint_every=4, log_every=1, dropout=0.2, accumulate=2, threads="2",
    )  # fmt: skip


def run(config, out, **given):
    trainer = start_run(config, out)
    trainer.run(progress=False, report=lambda line: None)
    return trainer


def weights(out, name="last"):
    saved = load_checkpoint(out / "checkpoint" / name)
    return {**saved.arrays["model"], **saved.arrays["optimizer"]}


def assert_same_to_the_bit(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name


def losses(out):
    return curves(out / "log.jsonl")


def test_a_run_leaves_log_config_and_checkpoints(config, tmp_path):
    trainer = run(config, tmp_path / "run")
    events = list(read_log(tmp_path / "run" / "log.jsonl"))
    assert [e["step"] for e in events if e["event"] == "eval"] == [0, 4, 8, 12]
    assert all(np.isfinite(e["val_loss"]) for e in events if e["event"] == "eval")
    assert [e["step"] for e in events if e["event"] == "step"] == list(range(1, 13))
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == config.to_dict()
    best = load_checkpoint(tmp_path / "run" / "checkpoint" / "best").documents["state"]
    assert (
        best["best"] == pytest.approx(trainer.best) == pytest.approx(min(v for _, v in losses(tmp_path / "run")[1][1:]))
    )


def test_training_learns(config, tmp_path):
    trainer = run(replace(config, steps=60, lr=1e-2, dropout=0.0), tmp_path / "run")
    first, last = losses(tmp_path / "run")[1][0][1], trainer.best
    assert last < first - 1.0


def test_a_checkpoint_is_a_model_in_hugging_faces_layout(config, tmp_path):
    trainer = run(config, tmp_path / "run")
    model = from_pretrained(tmp_path / "run" / "checkpoint" / "last")
    tokens = trainer.corpus.val[None, :8]
    np.testing.assert_allclose(model(tokens).data, trainer.model(tokens).data, atol=1e-5)


@pytest.mark.parametrize("stop", [1, 3, 4, 11])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_stopped_run_goes_on_to_the_same_bits(stop, threads, config, tmp_path):
    config = replace(config, threads=threads)
    run(config, tmp_path / "whole")
    trainer = start_run(config, tmp_path / "parts")
    plain = trainer._one_step

    def counted(bar):
        plain(bar)
        trainer.stop_asked = trainer.step_number == stop

    trainer._one_step = counted
    with pytest.raises(Interrupted):
        trainer.run(progress=False, report=lambda line: None)
    resumed = resume_run(tmp_path / "parts", {})
    assert resumed.step_number == stop
    resumed.run(progress=False, report=lambda line: None)
    assert_same_to_the_bit(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


@pytest.mark.parametrize(
    ("error", "status"),
    [(BrokenPipeError(), 13), (OSError(28, "No space left on device"), 15), (OSError(5, "Input/output error"), 15)],
)
def test_where_nobody_can_be_told_any_more_the_run_is_saved_and_stops(error, status, config, tmp_path):
    def report(line):
        if " 8 " in line:
            raise error

    with pytest.raises(Interrupted) as found:
        start_run(replace(config, checkpoint_every=100), tmp_path / "run").run(progress=False, report=report)
    assert found.value.number == status
    assert resume_run(tmp_path / "run", {}).step_number == 8


@pytest.mark.long
def test_a_run_of_four_hundred_steps_goes_on_from_any_to_the_same_bits(config, tmp_path):
    config = replace(config, steps=400, checkpoint_every=1, eval_every=400)
    run(config, tmp_path / "whole")
    expected = weights(tmp_path / "whole")
    for stop in range(1, 400):
        folder = tmp_path / str(stop)
        trainer = start_run(replace(config, steps=400, checkpoint_every=400), folder)
        plain = trainer._one_step

        def counted(bar, plain=plain, trainer=trainer, stop=stop):
            plain(bar)
            trainer.stop_asked = trainer.step_number == stop

        trainer._one_step = counted
        with pytest.raises(Interrupted):
            trainer.run(progress=False, report=lambda line: None)
        resume_run(folder, {}).run(progress=False, report=lambda line: None)
        assert_same_to_the_bit(weights(folder), expected)


def test_more_steps_may_be_asked_for_but_no_other_run(config, tmp_path):
    run(config, tmp_path / "run")
    assert resume_run(tmp_path / "run", {"steps": 20}).config.steps == 20
    with pytest.raises(ConfigError, match="n_embd"):
        resume_run(tmp_path / "run", {"n_embd": 32})
    resume_run(tmp_path / "run", {"n_embd": 16})  # the same is no change


def test_another_text_is_noticed(config, tmp_path):
    run(config, tmp_path / "run")
    (tmp_path / "text.txt").write_text(TEXT.replace("mat", "tam"))
    with pytest.raises(CheckpointError, match="Was the text changed"):
        resume_run(tmp_path / "run", {})


def test_a_run_is_never_overwritten_and_none_is_resumed_from_nothing(config, tmp_path):
    run(config, tmp_path / "run")
    with pytest.raises(ConfigError, match="--resume"):
        start_run(config, tmp_path / "run")
    with pytest.raises(CheckpointError, match="nothing there"):
        resume_run(tmp_path / "other", {})


def test_a_checkpoint_of_another_configuration_is_refused(config, tmp_path):
    run(config, tmp_path / "run")
    saved = load_checkpoint(tmp_path / "run" / "checkpoint" / "last")
    document = saved.documents["run"]["config"]
    with pytest.raises(ConfigError, match="another version"):
        config_from_dict({k: v for k, v in document.items() if k != "lr"})
    saved.documents["run"]["config"]["n_layer"] = 2
    with pytest.raises(CheckpointError, match="n_layer=2.*n_layer=1.*contradict"):
        model_of(saved)


def test_a_bad_loss_stops_the_run_and_keeps_the_checkpoint(config, tmp_path):
    trainer = start_run(config, tmp_path / "run")
    plain = trainer._one_step

    def poisoned(bar):
        if trainer.step_number == 6:
            table = trainer.model.position_embedding.weight
            table.assign(np.full(table.shape, np.nan))
        plain(bar)

    trainer._one_step = poisoned
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="step 6.*Start a new run with a lower --lr"):
        trainer.run(progress=False, report=lambda line: None)
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 4
    assert list(read_log(tmp_path / "run" / "log.jsonl"))[-1]["event"] == "stopped"
    assert all(np.isfinite(a).all() for a in weights(tmp_path / "run").values())


PROGRAM = """
import sys
from tinygrad_llm.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def command(config, out, *more):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in config.to_dict().items()
             if value is not None and not isinstance(value, bool) and name != "out"]  # fmt: skip
    return [sys.executable, "-c", PROGRAM, "train", "--preset", "shakespeare-cpu", *flags, "--out", str(out), *more]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_saves_says_how_to_go_on_and_exits_130(config, tmp_path):
    config = replace(config, steps=100_000, eval_every=50_000, checkpoint_every=50_000)
    for delay in (0.0, 0.15):
        out = tmp_path / f"run{delay}"
        process = subprocess.Popen(command(config, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with process:
            while not (out / "log.jsonl").exists() or '"step"' not in (out / "log.jsonl").read_text():
                assert process.poll() is None
                time.sleep(0.02)
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "--resume" in errors and "Traceback" not in errors
        step = load_checkpoint(out / "checkpoint" / "last").documents["state"]["step"]
        assert resume_run(out, {}).step_number == step > 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_goes_on_from_its_checkpoint_to_the_same_bits(config, tmp_path):
    config = replace(config, steps=60, checkpoint_every=5, eval_every=30)
    run(config, tmp_path / "whole")
    out = tmp_path / "killed"
    process = subprocess.Popen(command(config, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with process:
        while not (out / "checkpoint" / "last").exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    resume_run(out, {}).run(progress=False, report=lambda line: None)
    assert_same_to_the_bit(weights(out), weights(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", DataError, "empty file"), (b"a", DataError, "held-out|validation|tokens|held"), (b"abcdef", DataError, "block-size"),
        (b"ab\xffcd" * 50, DataError, "0xff at offset 2"), (None, DataError, "no such file"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_learned_from_is_named(content, error, said, config, tmp_path):
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=said):
        start_run(replace(config, text=str(path)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_text_of_one_character_kind_is_learned(config, tmp_path):
    (tmp_path / "a.txt").write_text("a" * 200)
    assert run(replace(config, text=str(tmp_path / "a.txt")), tmp_path / "run").best == pytest.approx(0.0, abs=1e-6)


def test_a_folder_that_cannot_be_made_is_a_storage_error(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="folder that can be written"):
        run(config, tmp_path / "file" / "run")


def test_a_full_disk_while_saving_keeps_what_was_saved(config, tmp_path, monkeypatch):
    trainer = start_run(config, tmp_path / "run")
    plain, saves = os.fsync, []

    def full(descriptor):
        saves.append(trainer.step_number)
        if trainer.step_number > 4:
            raise OSError(28, "No space left on device")
        plain(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left"):
        trainer.run(progress=False, report=lambda line: None)
    monkeypatch.undo()
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 4


def test_a_log_that_cannot_grow_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="untouched"):
        Log(tmp_path / "nowhere" / "log.jsonl").write("step", step=1)


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path):
    path = tmp_path / "log.jsonl"
    log = Log(path)
    log.write("step", step=1, loss=2.0)
    path.write_text(path.read_text() + '{"event": "st')
    Log(path).write("step", step=2, loss=1.0)  # the run that goes on after the crash
    assert curves(path)[0] == [(1, 2.0), (2, 1.0)]


def test_a_missing_gpu_is_named(config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # as where it is not installed
    load_cupy.cache_clear()
    with pytest.raises(DeviceError, match="cuda"):
        start_run(replace(config, device="cuda"), tmp_path / "run")


@pytest.mark.parametrize("tokenizer", ["byte", "bpe"])
def test_other_tokenizers_train_and_resume(tokenizer, config, tmp_path):
    run(replace(config, tokenizer=tokenizer, vocab_size=260), tmp_path / "run")
    resumed = resume_run(tmp_path / "run", {})
    assert resumed.corpus.tokenizer.decode(resumed.corpus.train[:7]) == "the cat"[:7] or tokenizer == "bpe"


def test_bits_per_byte_do_not_depend_on_the_tokenizer(config, tmp_path):
    trainer = start_run(config, tmp_path / "run")
    # one character is one byte here: nats a token over ln 2
    assert trainer.corpus.nats_to_bits_per_byte == pytest.approx(1 / np.log(2))


@pytest.mark.parametrize("change", [{"steps": 0}, {"tokenizer": "words"}, {"schedule": "step"}, {"dtype": "float16"}, {"n_head": 3},
                                    {"warmup": -1}, {"batch_size": 0}, {"dropout": 1.0}, {"seed": -1}])  # fmt: skip
def test_impossible_settings_are_refused(change, config):
    with pytest.raises(ConfigError):
        replace(config, **change)


def test_presets_are_configurations():
    for preset in PRESETS.values():
        assert TrainConfig(**preset).model(vocab_size=100)
