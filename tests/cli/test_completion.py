"""Tab completes what there is: commands, flags, and the words that a flag or a place may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tinygrad_llm.cli import completion
from tinygrad_llm.cli.completion import BY_HAND, RECORDS, SHELLS, parser_for
from tinygrad_llm.cli.flags import flags_of
from tinygrad_llm.cli.main import COMMANDS, main
from tinygrad_llm.cli.train import TrainFlags
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.train.config import PRESETS


def of(name):
    """The actions of one command's parser, by name."""
    commands = parser_for([name])._subparsers._group_actions[0].choices
    assert commands.keys() == COMMANDS.keys()
    return {action.dest: action for action in commands[name]._actions}


def test_every_command_is_known():
    assert RECORDS.keys() | BY_HAND.keys() == COMMANDS.keys()
    for name in COMMANDS:
        assert len(of(name)) >= 1


def test_flags_and_what_they_may_be_are_those_of_the_records():
    actions = of("train")
    assert {flag.name for flag in flags_of(TrainFlags)} | {"preset", "help"} == actions.keys()
    assert actions["schedule"].choices == ("constant", "linear", "cosine")
    assert actions["preset"].choices == tuple(PRESETS) and actions["lr"].choices is None
    assert [action.choices for action in (of("completion")["shell"], of("data")["action"])] == [SHELLS, ("list", "get")]


def test_places_know_exercises_and_chapters():
    assert of("hint")["id"].choices == tuple(e.id for e in Course.find().exercises)
    assert of("chapter")["what"].choices == tuple(Course.find().chapters())


@pytest.mark.parametrize("name", BY_HAND)
def test_flags_that_are_handed_on_are_those_of_who_takes_them(name, capsys):
    """Each is in the help of a chapter, or of `tgl dev`'s commands; --mine and --check are read before."""
    argv = ["chapter", "1", "--help"] if name == "chapter" else ["dev", "prove", "--help"]
    done = subprocess.run([sys.executable, "-m", "tinygrad_llm", *argv], capture_output=True, text=True)
    assert all(flag in done.stdout for flag in BY_HAND[name] if flag not in ("--mine", "--check")), done.stdout


def test_without_argcomplete_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    assert main(["completion", "bash"]) == 2
    error = capsys.readouterr().err
    assert "expected argcomplete, got none. pip install" in error and error.count("\n") == 1


def asked(line, tmp_path):
    """What a shell gets for a line at its end, by argcomplete's protocol."""
    answer = tmp_path / "answer"
    environment = {
        **os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "tinygrad_llm"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {word.strip() for word in answer.read_text(encoding="utf-8").split("\n") if word.strip()}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tgl tra", {"train"}), ("tgl train --sche", {"--schedule"}), ("tgl train --schedule l", {"linear"}), ("tgl test 09.", {"09.1", "09.2", "09.3", "09.4"}),
        ("tgl chapter 0", {f"0{n}" for n in range(1, 10)}), ("tgl completion ", {"bash", "zsh", "fish"}), ("tgl train --preset ta", {"tales"}), ("tgl data list --o", {"--out"}), ("tgl test --fu", {"--full"}),
    ],
)  # fmt: skip
def test_a_shell_that_asks_is_answered(line, words, tmp_path):
    pytest.importorskip("argcomplete")
    assert words <= asked(line, tmp_path) <= words | {"-h", "--help"}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_shell_is_given_names_the_command(shell, capsys):
    pytest.importorskip("argcomplete")
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert "_ARGCOMPLETE" in said and "tgl" in said
    assert completion.ABOUT.count(f"tgl completion {shell}") or shell == "zsh"
