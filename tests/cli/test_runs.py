"""Runs and their folders from the command line: two at once, going on, what is suggested, what a text may hold."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

import pytest

from tinygrad_llm import __version__
from tinygrad_llm.cli import train as cli_train
from tinygrad_llm.cli.main import main
from tinygrad_llm.cli.train import PROMPT_LENGTH, beginning_of
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.errors import DataError, StorageError
from tinygrad_llm.tokenizer import RegexBPETokenizer
from tinygrad_llm.train import Interrupted, load_checkpoint, resume_run, start_run
from tinygrad_llm.train.config import TrainConfig
from tinygrad_llm.train.data import Corpus, load_corpus
from tinygrad_llm.train.log import curves
from tinygrad_llm.train.trainer import Trainer
from tinygrad_llm.visualize import Figure

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
SMALL = [
    "--n-layer",
    "1",
    "--n-head",
    "2",
    "--n-embd",
    "16",
    "--block-size",
    "8",
    "--batch-size",
    "4",
    "--threads",
    "1",
    "--eval-every",
    "4",
    "--steps",
    "8",
]
TRAIN = ["train", "--preset", "shakespeare-cpu"]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def train(text, out, *more):
    return main([*TRAIN, "--text", str(text), "--out", str(out), *SMALL, *more])


def error_of(capsys, argv):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1, error
    return error


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "lock"}


def waiting(text, *more, cwd):
    """A process that trains for an hour if nobody stops it."""
    argv = [
        sys.executable,
        "-m",
        "tinygrad_llm",
        *TRAIN,
        "--text",
        str(text),
        *SMALL,
        "--steps",
        "1000000",
        "--log-every",
        "1",
        *more,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(argv, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(condition, *processes):
    while not condition():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)


# ---- two at once


def test_two_runs_at_once_get_a_folder_each(text, tmp_path):
    both = [waiting(text, cwd=tmp_path) for _ in range(2)]
    try:
        logs = [tmp_path / "out" / name / "log.jsonl" for name in ("shakespeare-cpu", "shakespeare-cpu-2")]
        until(lambda: all(log.exists() for log in logs), *both)
    finally:
        for process in both:
            process.kill()
            process.wait()
    assert all(log.read_text().count('"start"') == 1 for log in logs)


def test_a_folder_in_use_is_refused_with_the_process_and_free_when_that_has_died(text, tmp_path, capsys):
    out = tmp_path / "run"
    process = waiting(text, "--out", str(out), cwd=tmp_path)
    try:
        until(lambda: (out / "log.jsonl").exists(), process)
        assert "--resume" in error_of(capsys, [*TRAIN, "--text", str(text), "--out", str(out), *SMALL])
        error = error_of(capsys, ["train", "--resume", "--out", str(out), "--steps", "20"])
        assert f"process {process.pid} on " in error and "no other run is writing" in error
    finally:
        process.kill()
        process.wait()
    step = load_checkpoint(out / "checkpoint" / "last").documents["state"]["step"]
    assert main(["train", "--resume", "--out", str(out), "--steps", str(step + 2)]) == 0


def test_of_two_that_start_in_one_folder_the_second_leaves_it_alone(text, tmp_path):
    """Both looked before either had begun; only the lock can tell them apart, and after it what is there."""
    config = TrainConfig(text=str(text), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=3, threads="1")
    first, second = (start_run(config, tmp_path / "run") for _ in range(2))
    first.run(progress=False, report=lambda line: None)
    before = contents(tmp_path / "run")
    with pytest.raises(ValueError, match="a folder without a run"):
        second.run(progress=False, report=lambda line: None)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("lost", [None, "last"])
def test_of_two_that_go_on_from_one_step_the_second_does_not_undo_the_first(lost, text, tmp_path):
    out = tmp_path / "run"
    config = TrainConfig(
        text=str(text), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=4, eval_every=4, threads="1", lr=1e-2
    )
    start_run(config, out).run(progress=False, report=lambda line: None)
    if lost:
        shutil.rmtree(out / "checkpoint" / lost)
    first, second = (resume_run(out, {"steps": 9, "eval_every": 100}) for _ in range(2))
    first.evaluate = lambda: 99.0  # so that best stays what it was
    first.run(progress=False, report=lambda line: None)
    before = contents(out)
    with pytest.raises(ValueError, match="Another process has gone on with it"):
        second.run(progress=False, report=lambda line: None)
    assert contents(out) == before


# ---- going on


def stopping(monkeypatch, at):
    """Training is stopped after this step, as by Ctrl-C."""
    plain = Trainer._one_step

    def step(self, bar):
        plain(self, bar)
        self.stop_asked = 2 * (self.step_number == at)

    monkeypatch.setattr(Trainer, "_one_step", step)


def test_a_fault_in_the_first_step_leaves_something_to_go_on_from(text, tmp_path, monkeypatch, capsys):
    def fault(self, bar):
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_one_step", fault)
        assert train(text, tmp_path / "run") == 2
    capsys.readouterr()
    assert main(["train", "--resume", "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert f"going on from {tmp_path / 'run' / 'checkpoint' / 'last'}, step 0 of 8" in shown


def test_where_only_the_best_is_left_it_goes_on_from_there(text, tmp_path, capsys):
    assert train(text, tmp_path / "run", "--lr", "1e-2") == 0
    shutil.rmtree(tmp_path / "run" / "checkpoint" / "last")
    step = load_checkpoint(tmp_path / "run" / "checkpoint" / "best").documents["state"]["step"]
    capsys.readouterr()
    assert main(["train", "--resume", "--out", str(tmp_path / "run"), "--steps", "12"]) == 0
    assert f"checkpoint/best, step {step} of 12" in capsys.readouterr().out.replace(os.sep, "/")
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 12


@pytest.mark.parametrize("lost", ["checkpoint/last", "checkpoint", "log.jsonl"])
def test_a_new_run_never_adds_to_what_an_old_one_left(lost, text, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(text, out, "--lr", "1e-2") == 0
    shutil.rmtree(out / lost) if (out / lost).is_dir() else (out / lost).unlink()
    before = contents(out)
    capsys.readouterr()
    assert "a folder without a run" in error_of(capsys, [*TRAIN, "--text", str(text), "--out", str(out), *SMALL])
    assert contents(out) == before


def test_going_on_with_a_finished_run_says_so_and_changes_nothing(text, tmp_path, capsys):
    assert train(text, tmp_path / "run") == 0
    before = contents(tmp_path / "run")
    capsys.readouterr()
    for steps in ([], ["--steps", "5"]):
        assert main(["train", "--resume", "--out", str(tmp_path / "run"), *steps]) == 0
        shown = capsys.readouterr().out
        assert "This run is finished: 8 of" in shown and "--steps 16" in shown
    assert contents(tmp_path / "run") == before


def test_a_run_that_was_stopped_can_be_run_on_by_the_same_trainer(text, tmp_path, monkeypatch):
    config = TrainConfig(text=str(text), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=6, threads="1")
    trainer = start_run(config, tmp_path / "run")
    with monkeypatch.context() as patch:
        stopping(patch, 3)
        with pytest.raises(Interrupted):
            trainer.run(progress=False, report=lambda line: None)
    trainer.run(progress=False, report=lambda line: None)
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 6


# ---- the text, wherever it is now


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A run that was begun in the folder one/, with a path as it was typed there."""
    one = tmp_path / "one"
    one.mkdir()
    (one / "text.txt").write_text(TEXT)
    monkeypatch.chdir(one)
    assert train("text.txt", "run") == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    return one


def goes_on(out, *more):
    return main(["train", "--resume", "--out", str(out), "--steps", "10", *more])


def test_from_another_folder_the_text_is_found(project):
    assert goes_on(project / "run") == 0


def test_another_text_of_the_same_name_is_passed_over(project, tmp_path):
    (tmp_path / "other" / "text.txt").write_text(TEXT.replace("cat", "cow"))
    assert goes_on(project / "run") == 0


def test_a_project_that_was_moved_whole_goes_on(project, tmp_path):
    project.rename(tmp_path / "moved")
    assert goes_on(tmp_path / "moved" / "run") == 0


def test_a_run_that_was_moved_alone_goes_on(project, tmp_path):
    (project / "run").rename(tmp_path / "run")
    assert goes_on(tmp_path / "run") == 0


def test_a_text_that_was_moved_is_named_and_held_against_the_checksum(project, tmp_path, capsys):
    (project / "text.txt").rename(tmp_path / "new.txt")
    capsys.readouterr()
    assert "--text FILE" in error_of(capsys, ["train", "--resume", "--out", str(project / "run"), "--steps", "10"])
    (tmp_path / "wrong.txt").write_text(TEXT.replace("cat", "cow"))
    argv = ["train", "--resume", "--out", str(project / "run"), "--steps", "10", "--text", str(tmp_path / "wrong.txt")]
    assert "Was the text changed?" in error_of(capsys, argv)
    assert goes_on(project / "run", "--text", str(tmp_path / "new.txt")) == 0
    assert goes_on(project / "run", "--steps", "12") == 0  # and it is remembered


# ---- what is suggested works as it is printed


@pytest.mark.skipif(sys.platform == "win32", reason="shlex reads what a POSIX shell reads")
@pytest.mark.parametrize("content", [TEXT, "猫坐在垫子上。狗坐在木头上。\n" * 30, "- 'a' \"b\" $HOME\n" * 40, "\n" * 300, "x" * 300],
                         ids=["English", "Chinese", "signs", "line ends", "one word"])  # fmt: skip
def test_the_commands_that_are_suggested_work_as_printed(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TINYGRAD_LLM_DATA", str(tmp_path / "a folder"))
    (tmp_path / "text.txt").write_text(content, encoding="utf-8")
    out = tmp_path / "a run"
    assert train(tmp_path / "text.txt", out) == 0
    shown = capsys.readouterr().out
    lines = shown[shown.index("Try next:") :].splitlines()[1:-1]
    commands = [shlex.split(line)[1:] for line in lines]
    assert [words[0] for words in commands] == ["sample", "train", "data", "train"]
    assert main([*commands[0], "--tokens", "2"]) == 0 and main(commands[1]) == 0
    assert commands[3] == [
        "train",
        "--preset",
        "shakespeare-cpu",
        "--text",
        str(tmp_path / "a folder" / "tinyshakespeare.txt"),
    ]


def test_a_prompt_is_whole_words_of_the_held_out_text(tmp_path):
    (tmp_path / "text.txt").write_text("one two\n" * 50 + "ain\nthree four five six seven eight\n")
    corpus = load_corpus(TrainConfig(text=str(tmp_path / "text.txt"), block_size=8))
    corpus = Corpus(
        corpus.tokenizer, corpus.train, corpus.tokenizer.encode_array("ain\nthree four five six seven eight\n"), 36
    )
    assert beginning_of(corpus) == "three four five"
    unparted = Corpus(corpus.tokenizer, corpus.train, corpus.tokenizer.encode_array("o\n" + "one" * 20 + "\n"), 36)
    assert beginning_of(unparted) == ("one" * 20)[:PROMPT_LENGTH]  # some writings have no spaces


# ---- special tokens


END = "<|endoftext|>"


@pytest.fixture
def gpt2(tmp_path, monkeypatch):
    """GPT-2's files, as they would be without merges."""
    folder = tmp_path / "data" / "gpt2"
    folder.mkdir(parents=True)
    letters = {chr(b) if b in set(_printed()) else chr(256 + i): k for k, (b, i) in enumerate(_order())}
    (folder / "encoder.json").write_text(json.dumps({**letters, END: 256}))
    (folder / "vocab.bpe").write_text("#version: 0.2\n")
    monkeypatch.setenv("TINYGRAD_LLM_DATA", str(tmp_path / "data"))
    return ["--tokenizer", "gpt2"]


def _printed():
    return [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]


def _order():
    hidden = [b for b in range(256) if b not in set(_printed())]
    return [(b, 0) for b in _printed()] + [(b, i) for i, b in enumerate(hidden)]


def test_a_special_token_in_a_text_is_a_choice_and_the_message_says_which(gpt2, tmp_path, capsys):
    (tmp_path / "t.txt").write_text(f"{TEXT}{END}" * 3)
    out, text = tmp_path / "run", str(tmp_path / "t.txt")
    argv = [*TRAIN, "--text", text, *SMALL, *gpt2]
    error = error_of(capsys, [*argv, "--out", str(out)])
    assert f"--text: expected ordinary text, got the special token '{END}' at position {len(TEXT)}." in error
    assert "--special allow" in error and "--special text" in error and "allowed_special" not in error
    assert not out.exists()
    for special, count in (("allow", 1), ("text", len(END))):
        run = tmp_path / special
        assert main([*argv, "--out", str(run), "--special", special]) == 0
        trained = start_run(
            TrainConfig(text=text, tokenizer="gpt2", special=special, block_size=8), tmp_path / "x"
        ).corpus
        assert len(trained.train) + len(trained.val) == 3 * (len(TEXT) + count)
        assert main(["train", "--resume", "--out", str(run), "--steps", "9"]) == 0
        capsys.readouterr()
        assert "--prompt: expected ordinary text" in error_of(
            capsys, ["sample", str(run), "--prompt", f"a{END}", "--tokens", "1"]
        )
        assert "error: text: expected ordinary text" in error_of(capsys, ["eval", str(run), text])
        assert "--special" in error_of(capsys, ["tokenize", END, "--tokenizer", str(run)])
        assert main(["sample", str(run), "--prompt", f"a{END}", "--tokens", "1", "--special", special]) == 0
        capsys.readouterr()
        assert main(["eval", str(run), text, "--special", special]) == 0
        assert f"({3 * (len(TEXT) + count) - 1:,} tokens)" in capsys.readouterr().out
        assert main(["tokenize", END, "--tokenizer", str(run), "--special", special]) == 0
        assert f"{count} tokens" in capsys.readouterr().out


def test_a_tokenizer_without_special_tokens_knows_only_characters(tmp_path, capsys):
    (tmp_path / "t.txt").write_text(f"{TEXT}{END}" * 3)
    for number, special in enumerate(("refuse", "allow", "text")):
        assert train(tmp_path / "t.txt", tmp_path / str(number), "--special", special) == 0
        assert main(["tokenize", END, "--special", special]) == 0
        assert f"{len(END)} tokens" in capsys.readouterr().out


def test_the_first_of_several_special_tokens_is_named():
    from tinygrad_llm.errors import TokenError
    from tinygrad_llm.tokenizer.special import encode_text

    tokenizer = RegexBPETokenizer.train("a b", 260, special=["<x>", "<y>"])
    with pytest.raises(TokenError, match="'<y>' at position 2"):
        encode_text(tokenizer, "a <y> <x>")
    assert encode_text(tokenizer, "<y><x>", "allow").tolist() == [tokenizer.special["<y>"], tokenizer.special["<x>"]]


# ---- bytes of a text


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbfab\xef\xbb\xbf")
    assert read_text(tmp_path / "t.txt") == "ab\ufeff"
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(DataError, match="empty file"):
        read_text(tmp_path / "t.txt")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_unicodes_are_named(encoding, tmp_path):
    (tmp_path / "t.txt").write_bytes(TEXT.encode(encoding))
    with pytest.raises(DataError, match=r"expected UTF-8, got UTF-(16|32)(LE|BE)?\. Convert it: iconv"):
        read_text(tmp_path / "t.txt")


def test_zeros_alone_are_no_other_unicode(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"\0" * 300)
    assert read_text(tmp_path / "t.txt") == "\0" * 300


def test_carriage_returns_stay_or_go_as_the_flag_says(tmp_path, capsys):
    (tmp_path / "t.txt").write_bytes(b"ab\r\ncd\ref\n\r\n")
    assert read_text(tmp_path / "t.txt") == "ab\r\ncd\ref\n\r\n"
    assert read_text(tmp_path / "t.txt", "lf") == "ab\ncd\nef\n\n"
    (tmp_path / "w.txt").write_bytes(TEXT.replace(". ", ".\r\n").encode())
    assert train(tmp_path / "w.txt", tmp_path / "keep") == 0
    assert "12 carriage returns" in capsys.readouterr().err
    assert train(tmp_path / "w.txt", tmp_path / "lf", "--newlines", "lf") == 0
    assert "carriage" not in capsys.readouterr().err
    tokenizers = [
        load_checkpoint(tmp_path / name / "checkpoint" / "last").documents["tgl_tokenizer"] for name in ("keep", "lf")
    ]
    assert ["\r" in document["alphabet"] for document in tokenizers] == [True, False]
    assert "--newlines lf" in error_of(capsys, ["eval", str(tmp_path / "lf"), str(tmp_path / "w.txt")])
    assert main(["eval", str(tmp_path / "lf"), str(tmp_path / "w.txt"), "--newlines", "lf"]) == 0
    assert main(["train", "--resume", "--out", str(tmp_path / "lf"), "--steps", "9"]) == 0


# ---- one-line answers


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "",
        "ftp://x/y",
        "http://[",
        "http://a b/",
        "http://host:port/",
        "http://" + "a" * 70 + ".com",
        "file:///none",
    ],
)
def test_an_address_that_is_none_is_one_line(url, tmp_path, capsys):
    if not url:
        url = " "
    assert main(["data", "get", "tinyshakespeare", "--out", str(tmp_path), "--url", url]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("error: --url: " in error or "put it at" in error)


@pytest.mark.parametrize("name", ["bpe", "char", "none.json"])
def test_a_tokenizer_that_is_none_is_named(name, capsys):
    error = error_of(capsys, ["tokenize", "a", "--tokenizer", name])
    assert f"--tokenizer: expected byte, gpt2, a tokenizer's file or folder, or a run's folder, got '{name}'." in error
    assert ("learned from a text" in error) == (name != "none.json")


def test_version_and_help(capsys):
    for argv in (["--version"], ["-V"]):
        assert main(argv) == 0 and capsys.readouterr().out == f"tinygrad_llm {__version__}\n"
    assert main(["--help"]) == 0
    usage = capsys.readouterr().out
    assert main(["help"]) == 0 and capsys.readouterr().out == usage
    with pytest.raises(SystemExit):
        main(["help", "sample"])
    assert "usage: tgl sample" in capsys.readouterr().out
    assert "a command, got nonsense" in error_of(capsys, ["help", "nonsense"])


# ---- the curve, while it grows


def test_the_curve_is_drawn_at_each_evaluation_and_its_place_said_before(text, tmp_path, monkeypatch, capsys):
    drawn, plain = [], Trainer._one_step

    def step(self, bar):
        drawn.append((tmp_path / "run" / "loss.svg").read_text(encoding="utf-8"))
        plain(self, bar)

    monkeypatch.setattr(Trainer, "_one_step", step)
    assert train(text, tmp_path / "run") == 0
    shown = capsys.readouterr().out
    said = f"curve: {tmp_path / 'run' / 'loss.svg'}, drawn anew at each evaluation"
    assert 0 < shown.index(said) < shown.index("step      0")
    assert len(drawn) == 8 and [len(set(drawn[:4])), len(set(drawn[4:]))] == [1, 1] and drawn[0] != drawn[4]
    assert all("held-out" in svg and svg.endswith("</svg>\n") for svg in drawn)
    assert "█" not in shown and "#" not in shown, "bars are for a terminal"


def test_a_curve_that_cannot_be_drawn_does_not_stop_a_run(text, tmp_path, monkeypatch):
    def refuse(self, path):
        (tmp_path / "refused").touch()
        raise StorageError(str(path), "a place that can be written", "a full disk")

    plain = Figure.save
    monkeypatch.setattr(Figure, "save", refuse)
    monkeypatch.setattr(cli_train, "_report", lambda trainer, seconds: monkeypatch.setattr(Figure, "save", plain))
    assert train(text, tmp_path / "run") == 0
    assert (tmp_path / "refused").exists()
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 8


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_on_a_terminal_a_bar_is_as_long_as_the_loss(encoding, text, tmp_path, monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(content, encoding=encoding))
    assert train(text, tmp_path / "run", "--lr", "1e-2") == 0
    sys.stdout.flush()
    lines = [line for line in content.getvalue().decode(encoding).splitlines() if "held-out loss" in line]
    assert len(lines) == 3 and max(map(len, lines)) <= 80
    _, val = curves(tmp_path / "run" / "log.jsonl")
    for line, (_, loss) in zip(lines, val):
        drawn = line.split()[-1]
        if encoding == "ascii":
            assert drawn == "#" * round(12 * loss / val[0][1])
        else:
            length = sum(1 if sign == "█" else (0x2590 - ord(sign)) / 8 for sign in drawn)  # Unicode: ▏ is U+258F
            assert abs(length - 12 * loss / val[0][1]) <= 1 / 16


# ---- a text by a pipe


class Done(NamedTuple):
    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def piped(monkeypatch, capsysbinary, tmp_path):
    """A function from what comes by standard input, and a command in tmp_path, to what it did."""
    monkeypatch.chdir(tmp_path)

    def run(content, *argv):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="cp1252", newline=None))
        capsysbinary.readouterr()
        return Done(main(list(argv)), *capsysbinary.readouterr())

    return run


def test_a_real_pipe_is_read_too(tmp_path):
    command = [sys.executable, "-m", "tinygrad_llm", "tokenize"]
    done = subprocess.run(command, input="né".encode(), env=dict(os.environ, PYTHONUTF8="0"), capture_output=True)
    assert done.returncode == 0 and b"3 tokens, 2 characters, 3 bytes" in done.stdout


def test_a_text_by_a_pipe_is_trained_on_as_a_file_is_and_the_run_keeps_it(tmp_path, piped):
    content = TEXT.replace(". ", ".\r\n").encode()
    (tmp_path / "text.txt").write_bytes(content)
    common = [*TRAIN, *SMALL, "--newlines", "lf"]
    for name, text in (("file", "text.txt"), ("pipe", "-")):
        done = piped(content, *common, "--text", text, "--out", name)
        assert done.returncode == 0, done.stderr
    assert b"standard input, kept as" in done.stdout
    runs = [load_checkpoint(tmp_path / name / "checkpoint" / "last") for name in ("file", "pipe")]
    for name, array in runs[0].arrays["model"].items():
        assert array.tobytes() == runs[1].arrays["model"][name].tobytes()
    assert (tmp_path / "pipe" / "text.txt").read_bytes() == content
    (tmp_path / "pipe").rename(tmp_path / "moved")
    assert goes_on(tmp_path / "moved") == 0


def test_a_piped_run_without_a_name_gets_a_folder_and_a_wrong_text_leaves_none(tmp_path, piped):
    for content, said in (
        (b"", "an empty file"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"a\xff", "the byte 0xff at offset 1"),
    ):
        done = piped(content, *TRAIN, *SMALL, "--text", "-")
        assert done.returncode == 2 and "error: standard input: expected" in (error := done.stderr.decode()), error
        assert said in error and error.count("\n") == 1
    assert piped(b"short", *TRAIN, *SMALL, "--text", "-").returncode == 2
    assert not list(tmp_path.iterdir())
    assert piped(TEXT.encode(), *TRAIN, *SMALL, "--text", "-").returncode == 0
    assert (tmp_path / "out" / "shakespeare-cpu" / "text.txt").read_bytes() == TEXT.encode()


def test_a_piped_run_overwrites_no_file_and_does_not_go_on_from_another_pipe(tmp_path, piped):
    (tmp_path / "text.txt").write_bytes(b"somebody's own")
    done = piped(TEXT.encode(), *TRAIN, *SMALL, "--text", "-", "--out", ".")
    assert done.returncode == 2 and b"a new file" in done.stderr
    assert (tmp_path / "text.txt").read_bytes() == b"somebody's own"
    assert piped(TEXT.encode(), *TRAIN, *SMALL, "--text", "-", "--out", "run").returncode == 0
    done = piped(TEXT.encode(), "train", "--resume", "--out", "run", "--text", "-", "--steps", "9")
    assert done.returncode == 2 and b"has its text: text.txt" in done.stderr


@pytest.mark.parametrize("argv", [["tokenize"], ["tokenize", "-"]], ids=" ".join)
def test_a_text_by_a_pipe_is_tokenized_by_the_rules_of_files(argv, tmp_path, piped):
    done = piped("\ufeffné\r\n".encode(), *argv)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == b"5 tokens, 4 characters, 5 bytes"
    done = piped(b"a\xff", *argv)
    assert done.returncode == 2 and b"standard input: expected UTF-8, got the byte 0xff" in done.stderr


def test_at_a_terminal_nobody_waits_for_a_text(monkeypatch, capsys):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert "tgl tokenize < FILE" in error_of(capsys, ["tokenize"])
    monkeypatch.setattr(sys, "stdin", None)
    assert "a stream that is closed" in error_of(capsys, ["tokenize", "-"])


def test_a_text_by_a_pipe_is_evaluated_as_a_file_is(text, tmp_path, piped):
    assert train(text, tmp_path / "run") == 0
    of_the_file, of_the_pipe = (piped(text.read_bytes(), "eval", "run", name) for name in (str(text), "-"))
    assert of_the_file.returncode == 0 and of_the_pipe == of_the_file
