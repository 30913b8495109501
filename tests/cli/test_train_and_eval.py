"""`tgl train` and `tgl eval`: what they print is what was computed, and flags stand above presets."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.cli import train as module
from tinygrad_llm.cli.load import load_model
from tinygrad_llm.cli.main import main
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.train import PRESETS, Interrupted, TrainConfig, load_checkpoint, model_of
from tinygrad_llm.train.data import load_corpus
from tinygrad_llm.train.log import read_log
from tinygrad_llm.train.trainer import Trainer

TEXT = "die Katze saß auf der Matte, und der Hund saß auf dem Hügel.\n" * 14
SMALL = {
    "n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 8, "batch_size": 4, "warmup": 2, "threads": 1, "eval_every": 6,
    "steps": 12, "dropout": 0.1,
}  # fmt: skip


def flags(**settings):
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def train(text, *more):
    return main(["train", "--preset", "shakespeare-cpu", "--text", str(text), *more])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished run whose last step is not its best, and what it printed."""
    folder = tmp_path_factory.mktemp("done")
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    plain, losses = Trainer.evaluate, iter([0.0, 0.0, 1.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "evaluate", lambda self: plain(self) + next(losses))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert train(folder / "text.txt", "--out", str(folder / "run"), *flags(**SMALL)) == 0
    return folder, out.getvalue()


def config_of(folder):
    settings = {**SMALL, "threads": "1"}
    return TrainConfig(**PRESETS["shakespeare-cpu"] | settings | {"text": str(folder / "text.txt")})


def test_flags_stand_above_the_preset_and_the_preset_above_the_defaults(done):
    folder, _ = done
    saved = load_checkpoint(folder / "run" / "checkpoint" / "last").document("run")["config"]
    assert saved == {**config_of(folder).to_dict(), "out": str(folder / "run")}


def test_the_table_at_the_end_holds_the_best_beside_n_grams_of_the_same_text(done):
    folder, shown = done
    corpus = load_corpus(config_of(folder))
    baselines = {}
    for order in (3, 5):
        model = NGram(order, corpus.tokenizer.vocab_size).fit(corpus.train)
        baselines[f"{order}-gram"] = model.cross_entropy(corpus.val)
    evals = [e["val_loss"] for e in read_log(folder / "run" / "log.jsonl") if e["event"] == "eval"]
    best = min(evals)
    assert best == evals[1] < evals[2]
    for name, loss in {**baselines, "this model": best}.items():
        assert f"{name:14}{loss:12.4f}{loss * len(corpus.val) / corpus.val_bytes / math.log(2):14.4f}" in shown
    assert "Counting wins here" in shown
    assert json.loads(shown.splitlines()[-1]) == {
        "out": str(folder / "run"),
        "val_loss": best,
        "steps": 12,
        "ngrams": baselines,
    }
    report = list(read_log(folder / "run" / "log.jsonl"))[-1]
    assert (report["event"], report["best_val_loss"], report["ngrams"]) == ("report", best, baselines)
    assert report["seconds"] >= 0 and "trained 12 steps in" in shown and "--steps 24" in shown


def test_the_first_line_says_what_is_trained_on_what(done):
    folder, shown = done
    corpus = load_corpus(config_of(folder))
    model = model_of(load_checkpoint(folder / "run" / "checkpoint" / "last"))
    assert shown.splitlines()[0] == (
        f"{model.n_parameters():,} parameters, 1 layers, 2 heads, 16 wide; {len(corpus.train):,} tokens to learn from, "
        f"{len(corpus.val):,} held out, {corpus.tokenizer.vocab_size} kinds; 1 thread"
    )


def test_counting_wins_only_where_it_does(done, monkeypatch, capsys):
    folder, _ = done
    trainer = module.resume_run(folder / "run", {})
    for best, wins in ((0.0, False), (99.0, True)):
        trainer.best = best
        monkeypatch.setattr(trainer.log, "write", lambda *a, **b: None)
        module._report(trainer, 1.0)
        assert ("Counting wins here" in capsys.readouterr().out) == wins


def test_a_sample_is_that_of_the_runs_seed(done):
    folder, _ = done
    one, two = (module.resume_run(folder / "run", {}) for _ in "ab")
    assert module.sample(one, 30) == module.sample(two, 30)
    two.config = replace(two.config, seed=7)
    assert module.sample(one, 30) != module.sample(two, 30)


def test_a_run_that_is_stopped_says_so_and_exits_as_a_shell_expects(done, tmp_path, monkeypatch, capsys):
    folder, _ = done
    plain = Trainer._one_step

    def stopping(self, bar):
        plain(self, bar)
        self.stop_asked = 15 * (self.step_number == 5)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_one_step", stopping)
        assert train(folder / "text.txt", "--out", str(tmp_path / "run"), *flags(**SMALL)) == 128 + 15
    assert "stopped at step 5; saved. Go on with: tgl train --resume --out" in capsys.readouterr().err
    assert Interrupted(2).number == 2
    assert main(["train", "--resume", "--out", str(tmp_path / "run")]) == 0
    assert f"going on from {tmp_path / 'run' / 'checkpoint' / 'last'}, step 5 of 12" in capsys.readouterr().out


def test_without_a_folder_a_run_goes_on_in_that_of_its_preset(done, tmp_path, monkeypatch, capsys):
    folder, _ = done
    monkeypatch.chdir(tmp_path)
    assert train(folder / "text.txt", *flags(**SMALL | {"steps": 2})) == 0
    assert main(["train", "--resume", "--preset", "shakespeare-cpu", "--steps", "3"]) == 0
    state = load_checkpoint(tmp_path / "out" / "shakespeare-cpu" / "checkpoint" / "last").document("state")
    assert state["step"] == 3 and "step 2 of 3" in capsys.readouterr().out


# ---- eval


def evaluated(capsys, *argv):
    assert main(["eval", *map(str, argv)]) == 0
    shown = capsys.readouterr().out
    numbers = re.fullmatch(
        r"([\d.]+) nats a token   perplexity ([\d.]+)   ([\d.]+) bits a byte   \(([\d,]+) tokens\)\n", shown
    )
    return [float(number.replace(",", "")) for number in numbers.groups()]


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_evaluation_is_the_mean_of_the_best_models_loss(batch_size, done, tmp_path, capsys):
    folder, _ = done
    text = "der Hund saß auf der Katze. " * 40 + "ß"
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    saved = load_checkpoint(folder / "run" / "checkpoint" / "best")
    assert saved.document("state")["step"] == 6
    model, ids = model_of(saved), load_corpus(config_of(folder)).tokenizer.encode_array(text)
    total = sum(
        model.token_log_probs({"tokens": part[None, :-1], "targets": part[None, 1:]}).data.sum()
        for part in (ids[s : s + 9] for s in range(0, len(ids) - 1, 8))
    )
    loss = -total / (len(ids) - 1)
    nats, perplexity, bits, count = evaluated(capsys, folder / "run", tmp_path / "t.txt", "--batch-size", batch_size)
    assert count == len(text) - 1 and nats == pytest.approx(loss, abs=1e-4)
    assert perplexity == pytest.approx(np.exp(loss), rel=1e-3)
    assert bits == pytest.approx(loss / math.log(2) * count / len(text.encode()), abs=1e-4)
    assert len(text.encode()) > len(text)


def test_a_checkpoint_that_is_named_is_the_one_that_is_evaluated(done, tmp_path, capsys):
    folder, _ = done
    best, last, run = (
        evaluated(capsys, folder / "run" / name, folder / "text.txt")
        for name in ("checkpoint/best", "checkpoint/last", "")
    )
    assert run == best != last
    shutil.copytree(folder / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoint" / "best")
    assert evaluated(capsys, tmp_path / "run", folder / "text.txt") == last


def test_a_text_is_evaluated_with_the_line_ends_that_are_asked_for(done, tmp_path, capsys):
    folder, _ = done
    (tmp_path / "t.txt").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert evaluated(capsys, folder / "run", tmp_path / "t.txt", "--newlines", "lf") == evaluated(
        capsys, folder / "run", folder / "text.txt"
    )
    assert main(["eval", str(folder / "run"), str(tmp_path / "t.txt")]) == 2
    assert "--newlines lf" in capsys.readouterr().err


@pytest.mark.parametrize("arch", ["gpt", "llama", "mixtral"])
def test_each_architecture_is_trained_goes_on_and_is_written_from_and_measured(arch, tmp_path, capsys):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    out, text = str(tmp_path / "run"), str(tmp_path / "text.txt")
    settings = {name: value for name, value in SMALL.items() if name != "threads"}
    assert train(text, "--arch", arch, "--out", out, *flags(**settings)) == 0
    assert main(["train", "--resume", "--out", out, "--steps", "14"]) == 0
    assert "step 12 of 14" in capsys.readouterr().out
    assert main(["sample", out, "--tokens", "20", "--seed", "1", "--prompt", "die"]) == 0
    assert len(capsys.readouterr().out) > 20
    assert main(["eval", out, text]) == 0
    model, tokenizer = load_model(out)
    tokens, total = np.array(tokenizer.encode(TEXT)), 0.0
    for start in range(0, len(tokens) - 1, 8):
        targets = tokens[start + 1 : start + 9]
        window = {"tokens": tokens[None, start : start + len(targets)], "targets": targets[None]}
        total -= model.token_log_probs(window).data.sum()
    nats = float(re.match(r"([\d.]+) nats a token", capsys.readouterr().out)[1])
    assert nats == pytest.approx(total / (len(tokens) - 1), abs=1e-4)
