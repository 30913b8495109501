"""Every flag of every command has a range, and what is outside is refused in one line that names the flag."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import fields

import numpy as np
import pytest

from tinygrad_llm.cli import completion, dev, exercises
from tinygrad_llm.cli.align import AlignFlags
from tinygrad_llm.cli.chat import ChatFlags
from tinygrad_llm.cli.data import DataFlags
from tinygrad_llm.cli.doctor import DoctorFlags
from tinygrad_llm.cli.evaluate import EvalFlags
from tinygrad_llm.cli.finetune import FinetuneFlags
from tinygrad_llm.cli.flags import flags_of, parse
from tinygrad_llm.cli.main import COMMANDS, main
from tinygrad_llm.cli.merge import MergeFlags
from tinygrad_llm.cli.sample import SampleFlags
from tinygrad_llm.cli.tokenize import TokenizeFlags
from tinygrad_llm.cli.train import TrainFlags
from tinygrad_llm.course import chapter
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.models import GPT, GPTConfig, save_pretrained
from tinygrad_llm.tokenizer import ByteTokenizer
from tinygrad_llm.train.config import PRESETS, TrainConfig

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
SMALL = [
    "--n-layer",
    "1",
    "--n-head",
    "2",
    "--n-embd",
    "8",
    "--block-size",
    "8",
    "--batch-size",
    "2",
    "--threads",
    "1",
    "--steps",
    "1",
]
STRANGE = ["-1", "0", "1e30", "1e999", "-1e999", "nan", "text", "1.5", "", " ", "0x10"]
ZERO_IS_FINE = {
    "n_kv_head",
    "window",
    "warmup",
    "eval_batches",
    "seed",
    "dropout",
    "weight_decay",
    "clip",
    "beta1",
    "beta2",
    "final_lr",
    "tokens",
    "sample",
    "min_p",
    "no_repeat_ngram_size",
    "diversity_penalty",
    "penalty_alpha",
    "presence_penalty",
    "frequency_penalty",
    "adapter_dropout",
    "kl_coef",
}
NEGATIVE = {"presence_penalty", "frequency_penalty"}
FRACTIONS = {
    "lr", "final_lr", "weight_decay", "clip", "temperature", "alpha", "epochs", "repetition_penalty", *NEGATIVE, "beta", "kl_coef",
    "kl_target", "clip_ratio",
}  # fmt: skip
RECORDS = {
    "align": (AlignFlags, ("model",)), "finetune": (FinetuneFlags, ("model",)), "chat": (ChatFlags, ("model",)), "merge": (MergeFlags, ("run",)),
    "train": (TrainFlags, ()), "sample": (SampleFlags, ("run",)), "eval": (EvalFlags, ("run", "text")), "tokenize": (TokenizeFlags, ("text",)),
    "data": (DataFlags, ("action", "name")), "doctor": (DoctorFlags, ()), "start": (exercises.NoFlags, ()), "watch": (exercises.IdFlags, ("id",)),
    "test": (exercises.TestFlags, ("id",)), "list": (exercises.ListFlags, ()), "hint": (exercises.IdFlags, ("id",)), "solution": (exercises.ResetFlags, ("id",)),
    "reset": (exercises.ResetFlags, ("id",)), "update": (exercises.NoFlags, ()), "completion": (completion.CompletionFlags, ("shell",)), "dev prove": (dev.ProveFlags, ()),
}  # fmt: skip
TOLD = ("template: ", "This model has learned no dialogues")
"""What is told beside an error."""
OWN_PARSER = {"chapter", "dev"}  # the scripts' own flags, walked below; and `dev prove`, whose flags are above


def walked():
    for name, (record, positional) in RECORDS.items():
        for flag in flags_of(record, positional):
            if flag.name not in positional and flag.kind is not bool:
                yield name, flag


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flags")
    (folder / "text.txt").write_text(TEXT)
    assert (
        main(
            [
                "train",
                "--preset",
                "shakespeare-cpu",
                "--text",
                str(folder / "text.txt"),
                "--out",
                str(folder / "out"),
                *SMALL,
            ]
        )
        == 0
    )
    save_pretrained(GPT(GPTConfig(256, 64, 1, 2, 8), rng=np.random.default_rng(0)), folder / "base")
    ByteTokenizer().save(folder / "base")
    lines = "".join(json.dumps({"prompt": "a" * n, "completion": "b", "answer": "b"}) + "\n" for n in range(1, 6))
    (folder / "data.jsonl").write_text(lines)
    assert main([*command("finetune", folder, folder)[:-1], str(folder / "adapted")]) == 0
    return folder


def command(name, place, tmp_path):
    run, text = str(place / "out"), str(place / "text.txt")
    finetune = [
        "finetune",
        str(place / "base"),
        "--data",
        str(place / "data.jsonl"),
        "--batch-size",
        "2",
        "--threads",
        "1",
    ]
    return {
        "align": ["align", *finetune[1:], "--method", "ppo", "--verifier", "number", "--answer-tokens", "2", "--group-size", "2", "--adapter", "full",
                  "--steps", "1", "--warmup", "0", "--out", str(tmp_path / "new")],
        "finetune": [*finetune, "--steps", "1", "--rank", "2", "--warmup", "0", "--out", str(tmp_path / "new")],
        "chat": ["chat", str(place / "base")], "merge": ["merge", str(place / "adapted"), "--out", str(tmp_path / "merged")],
        "train": ["train", "--preset", "shakespeare-cpu", "--text", text, *SMALL, "--out", str(tmp_path / "new")],
        "sample": ["sample", run, "--tokens", "2"], "eval": ["eval", run, text], "tokenize": ["tokenize", "the"],
        "data": ["data", "list"], "dev prove": ["dev", "prove"],
    }[name]  # fmt: skip


def test_the_walk_misses_no_command():
    assert {name.split()[0] for name in RECORDS} | OWN_PARSER == set(COMMANDS)


@pytest.mark.parametrize(("name", "flag"), [pytest.param(n, f, id=f"{n} {f.shown}") for n, f in walked()])
def test_strange_values_of_any_flag_are_one_line_or_fine(name, flag, place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "prove", lambda *args: [])
    monkeypatch.setattr(dev, "save_proofs", lambda *args: None)
    assert flag.allowed is not None, f"{flag.shown} of tgl {name} has no range"
    for number, value in enumerate(STRANGE):
        argv = command(name, place, tmp_path / str(number))
        monkeypatch.setattr(sys, "stdin", io.StringIO("a\n"))
        status = main([*argv, f"{flag.shown}={value}"])
        said = capsys.readouterr().err.splitlines(keepends=True)
        error = "".join(line for line in said if not line.startswith(TOLD))
        assert status in (0, 2) and "Traceback" not in error and "Warning" not in error, (value, error)
        if status == 2:
            assert error.startswith("error: ") and error.count("\n") == 1, error
        if flag.kind is str and not flag.allowed.words:
            continue  # any text may be a path or a prompt
        zero_is_fine = flag.name in ZERO_IS_FINE and (name, flag.name) not in (("chat", "tokens"), ("eval", "tokens"))
        fine = (value == "0" and zero_is_fine) or (value == "1.5" and flag.name in FRACTIONS)
        fine = (
            fine
            or (value == "text" and flag.name in ("special", "verifier"))
            or (value == "-1" and flag.name in NEGATIVE)
        )
        assert (status == 0) == fine, (value, error)
        assert fine or error.startswith(f"error: {flag.shown}: expected "), error


@pytest.mark.parametrize("value", STRANGE)
def test_a_chapters_flags_are_walked_too(value, capsys):
    with pytest.raises(SystemExit) as found:
        chapter._flags("09", "a claim", [f"--seeds={value}"])
    assert found.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --seeds: expected a whole number from 1 to 1_000, got ") and error.count("\n") == 1


@pytest.mark.parametrize("name", ["lr", "beta1", "dropout", "clip"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "text", None])
def test_a_configuration_in_python_keeps_the_same_ranges(name, value):
    with pytest.raises(ConfigError, match=name):
        TrainConfig(**{name: value})


def test_numbers_of_python_do_not_pass_for_others():
    for name, value in {"steps": 1.5, "batch_size": True, "seed": "3", "threads": "0"}.items():
        with pytest.raises(ConfigError, match=name):
            TrainConfig(**{name: value})
    assert TrainConfig(threads="3", lr=1).threads == "3"


def shown_defaults(text):
    """By flag, what help says the default is."""
    entries = re.split(r"\n  (?=-)", text.split("options:")[1])
    return {e.split()[0].rstrip(","): found[1] for e in entries if (found := re.search(r"\(default\s+([^)]*)\)", e))}


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_help_shows_the_defaults_that_run(preset, capsys):
    with pytest.raises(SystemExit):
        main(["train", *(["--preset", preset] if preset else []), "--help"])
    shown = shown_defaults(capsys.readouterr().out)
    runs = TrainConfig(**PRESETS[preset or "tales"])
    for f in fields(runs):
        value = getattr(runs, f.name)
        if value is not None and not isinstance(value, bool):
            assert shown["--" + f.name.replace("_", "-")] == str(value), f.name
    assert shown["--preset"] == "tales"


def test_a_value_that_begins_with_a_dash_is_written_with_an_equals_sign(place, capsys):
    argv = ["sample", str(place / "out"), "--tokens", "1"]
    assert main([*argv, "--prompt", "-x"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --prompt: ") and "--prompt=-x" in error and error.count("\n") == 1
    assert main([*argv, "--prompt=-x"]) == 2  # '-' is not in this model's alphabet: it is read as a prompt
    assert "'-' (U+002D) at position 0" in capsys.readouterr().err


def test_a_text_that_begins_with_a_dash_comes_after_two(capsys):
    assert main(["tokenize", "-x"]) == 2
    assert "-- -x" in capsys.readouterr().err
    assert main(["tokenize", "--", "--some_text"]) == 0
    assert "11 tokens" in capsys.readouterr().out


def test_a_missing_name_is_named(capsys):
    assert main(["eval"]) == 2
    assert "error: tgl eval: expected run, text, got none." in capsys.readouterr().err


def test_the_preset_is_one_of_the_presets(capsys):
    for value in ("none", ""):
        assert main(["train", f"--preset={value}"]) == 2
        assert capsys.readouterr().err.startswith("error: --preset: expected tales or ")


def test_deeper_errors_name_the_flag_as_well(place, tmp_path, capsys):
    text, run = str(place / "text.txt"), str(place / "out")
    assert (
        main(
            [
                "train",
                "--preset",
                "shakespeare-cpu",
                "--text",
                text,
                "--out",
                str(tmp_path / "n"),
                *SMALL,
                "--n-head",
                "3",
            ]
        )
        == 2
    )
    assert capsys.readouterr().err.startswith("error: --n-head: expected a divisor of --n-embd = 8")
    assert main(["sample", run, "--prompt", "é"]) == 2
    assert capsys.readouterr().err.startswith("error: --prompt: expected ")
    assert main(["train", "--preset", "shakespeare-cpu", "--text", text, "--out", run]) == 2
    assert capsys.readouterr().err.startswith("error: --out: expected a folder without a run")
    assert main(["train", "--preset", "shakespeare-cpu", "--text", str(tmp_path), "--out", str(tmp_path / "n")]) == 2
    assert "expected a text file, got a folder." in capsys.readouterr().err


def test_what_overflows_says_so_in_one_line_without_numpys_warnings(place, tmp_path, capsys):
    argv = [
        "train",
        "--preset",
        "shakespeare-cpu",
        "--text",
        str(place / "text.txt"),
        "--out",
        str(tmp_path / "n"),
        *SMALL,
    ]
    status = main([*argv, "--steps", "30", "--lr", "1000", "--clip", "0", "--warmup", "0"])
    error = capsys.readouterr().err
    assert status in (0, 2) and "Warning" not in error
    assert not status or "error: " in error.splitlines()[-1]


def test_no_memory_is_one_line(place, capsys, monkeypatch):
    def none(*args):
        raise MemoryError("unable to allocate 3 TiB")

    monkeypatch.setattr("tinygrad_llm.cli.evaluate.load_model", none)
    assert main(["eval", str(place / "out"), str(place / "text.txt")]) == 2
    assert "unable to allocate 3 TiB" in capsys.readouterr().err


def test_flags_alone_are_parsed_with_their_ranges():
    with pytest.raises(ConfigError, match="--batch-size: expected a whole number from 1 to"):
        parse(["r", "t", "--batch-size", "0"], EvalFlags, prog="p", about="a", positional=["run", "text"])
