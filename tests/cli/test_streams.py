"""Output that cannot be written, and signals: nothing that is done is lost, and no traceback is shown."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinygrad_llm.cli.main import main
from tinygrad_llm.train import load_checkpoint, resume_run

TEXT = "the cat → ✓ sat on the mat and the dog sat on the log. " * 12
LONG = ["--n-layer", "1", "--n-head", "2", "--n-embd", "16", "--block-size", "8", "--batch-size", "4", "--threads", "1", "--log-every", "1",
        "--eval-every", "20", "--checkpoint-every", "1000000", "--steps", "1000000"]  # fmt: skip
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of Unix")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""}
"""What is written is held back, as Python does where nobody asks for something else."""


def tgl(*argv, **options):
    return [sys.executable, "-m", "tinygrad_llm", *argv], {"env": ENVIRONMENT, "text": True, **options}


def done(*argv, **options):
    command, options = tgl(*argv, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
    return subprocess.run(command, timeout=120, **options)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def training(text, out, *more):
    return ["train", "--preset", "shakespeare-cpu", "--text", str(text), "--out", str(out), *LONG, *more]


def steps_taken(out):
    path = out / "log.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return sum('"loss"' in line for line in lines)


def hear_signals():
    """For a new process: a suite that runs in the background or under nohup hands down what it does not hear."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def started(text, out, **options):
    """A run that has done a few steps; by itself it would go on for an hour."""
    pipes = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "preexec_fn": None if os.name == "nt" else hear_signals,
    }
    command, options = tgl(*training(text, out), **{**pipes, **options})
    process = subprocess.Popen(command, **options)
    while steps_taken(out) < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def assert_saved(out):
    """The last step that the log knows is the one that is saved."""
    step = load_checkpoint(out / "checkpoint" / "last").documents["state"]["step"]
    assert step >= steps_taken(out) >= 3 and resume_run(out, {}).step_number == step


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_says_how_to_go_on(name, text, tmp_path):
    with started(text, tmp_path / "run") as process:
        process.send_signal(getattr(signal, name))
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + getattr(signal, name)
    assert "saved. Go on with: tgl train --resume --out" in errors and "Traceback" not in errors
    assert_saved(tmp_path / "run")


@POSIX
def test_a_file_has_the_lines_of_a_run_while_it_goes_on(text, tmp_path):
    with open(tmp_path / "lines.txt", "w") as lines, started(text, tmp_path / "run", stdout=lines) as process:
        while steps_taken(tmp_path / "run") < 25:  # an evaluation before the first step, and one after the twentieth
            assert process.poll() is None
            time.sleep(0.02)
        written = (tmp_path / "lines.txt").read_text()
        process.send_signal(signal.SIGTERM)
    assert written.count("held-out loss") == 2


@POSIX
def test_a_run_under_nohup_goes_on_when_the_terminal_closes(text, tmp_path):
    ignoring = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from tinygrad_llm.cli.main import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", ignoring, *training(text, tmp_path / "run")], env=ENVIRONMENT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
    with process:
        while steps_taken(tmp_path / "run") < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        now = steps_taken(tmp_path / "run")
        while steps_taken(tmp_path / "run") < now + 20:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM


@POSIX
def test_a_run_whose_reader_has_gone_is_saved(text, tmp_path):
    with started(text, tmp_path / "run") as process:
        process.stdout.close()  # as `| head` does
        errors = process.stderr.read()
    assert process.returncode == 128 + 13
    assert "saved. Go on with" in errors and "Traceback" not in errors and "Exception ignored" not in errors
    assert_saved(tmp_path / "run")


@POSIX
def test_a_run_whose_terminal_has_gone_altogether_is_saved(text, tmp_path):
    with started(text, tmp_path / "run") as process:
        process.stdout.close()
        process.stderr.close()
    assert process.returncode == 128 + 13
    assert_saved(tmp_path / "run")


@FULL
def test_a_run_that_cannot_write_its_output_does_not_begin(text, tmp_path):
    with open("/dev/full", "w") as full:
        finished = done(*training(text, tmp_path / "run"), stdout=full)
    assert finished.returncode == 2 and finished.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


COMMANDS = [["list"], ["tokenize", "x" * 5000], ["--help"], ["train", "--help"], ["doctor"], ["data", "list"], ["help"]]


@FULL
@pytest.mark.parametrize("argv", COMMANDS, ids=" ".join)
def test_a_full_output_is_one_line(argv):
    with open("/dev/full", "w") as full:
        finished = done(*[word[:4000] for word in argv], stdout=full)
    assert finished.returncode == 2
    assert (
        finished.stderr
        == "error: standard output: expected a place that can be written, got no space left on device.\n"
    )


SCRIPT = """
from tinygrad_llm.course.chapter import Chapter
run = Chapter("77", "a claim", [])
for number in range(10 ** 9):
    print(number, flush=True)
"""


@POSIX
@pytest.mark.parametrize("end", ["reader gone", "Ctrl-C"])
def test_a_chapter_that_nobody_reads_or_that_is_stopped_shows_no_traceback(end):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    )
    with process:
        assert process.stdout.readline().startswith("chapter 77")
        if end == "Ctrl-C":
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
        else:
            process.stdout.close()
            errors = process.stderr.read()
    assert errors == ("\nstopped.\n" if end == "Ctrl-C" else "") and process.returncode != 0


@FULL
def test_a_chapter_with_a_full_output_is_one_line():
    with open("/dev/full", "w") as full:
        finished = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (
        finished.stderr
        == "error: standard output: expected a place that can be written, got no space left on device.\n"
    )
    assert finished.returncode != 0


@POSIX
@pytest.mark.parametrize("argv", [["list"], ["help"], ["nonsense"]], ids=" ".join)
@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)], ids=str)
def test_streams_that_are_closed_from_the_start_are_no_matter(argv, closed):
    redirections = " ".join(f"{number}>&-" for number in closed)
    script = f'exec "$@" {redirections}'
    command, options = tgl(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finished = subprocess.run(["sh", "-c", script, "sh", *command], timeout=120, **options)
    assert finished.returncode == (2 if argv == ["nonsense"] else 0) and "Traceback" not in finished.stderr


@POSIX
def test_training_without_any_stream_is_no_matter(text, tmp_path):
    command, options = tgl(
        *training(text, tmp_path / "run", "--steps", "30"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *command], timeout=120, **options).returncode == 0
    assert load_checkpoint(tmp_path / "run" / "checkpoint" / "last").documents["state"]["step"] == 30


def test_what_a_code_page_lacks_is_replaced(text, tmp_path):
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    out = str(tmp_path / "run")
    small = [*LONG, "--steps", "3"]
    for argv in (
        ["train", "--preset", "shakespeare-cpu", "--text", str(text), "--out", out, *small],
        ["sample", out, "--prompt", "→ ✓", "--tokens", "50", "--temperature", "100"],
        ["tokenize", "→ ✓", "--tokenizer", out], ["tokenize", "→ ✓"], ["list", "--all"], ["doctor"], ["chapter", "--help"], ["data", "list"],
    ):  # fmt: skip
        finished = done(*argv, env=environment, text=False)
        assert finished.returncode == 0, finished.stderr
        assert b"Traceback" not in finished.stderr
    assert b"? ?" in done("sample", out, "--prompt", "→ ✓", "--tokens", "1", env=environment, text=False).stdout


def test_an_error_with_a_character_that_cannot_be_shown_is_still_one_line():
    finished = done("sample", "\udcff→", env={**ENVIRONMENT, "PYTHONIOENCODING": "cp1252"})
    assert finished.returncode == 2 and finished.stderr.count("\n") == 1 and "Traceback" not in finished.stderr


def test_a_stream_in_place_of_the_real_one_is_written_to(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    assert main(["tokenize", "é"]) == 0 and "2 tokens" in shown.getvalue()


def test_the_last_line_of_training_is_json_whatever_the_code_page(text, tmp_path):
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    finished = done(*training(text, tmp_path / "→", "--steps", "3"), env=environment)
    assert json.loads(finished.stdout.splitlines()[-1])["out"] == str(tmp_path / "→")
