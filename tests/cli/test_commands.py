"""Each command does what it is told: the exercises' commands, chapters, proofs, and statuses, without running any."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_llm.cli import chapter, dev, exercises, main
from tinygrad_llm.cli.flags import in_flags, parse
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.errors import ArgumentError, ConfigError, StorageError


@pytest.fixture
def asked(monkeypatch):
    """A session that does nothing and says what it was asked for; `green` is what the checks find."""
    asked = SimpleNamespace(calls=[], green=True)

    class Session:
        def __init__(self, course):
            self.desk = SimpleNamespace(started=True)

        def pick(self, id):
            return f"exercise {id}"

        def test(self, exercise, full=False, debug=False):
            asked.calls.append(("test", exercise, full, debug))
            return SimpleNamespace(green=asked.green)

        def test_all(self):
            asked.calls.append(("test_all",))
            return asked.green

        def __getattr__(self, name):
            return lambda *args, **options: asked.calls.append((name, *args, *options.items()))

    monkeypatch.setattr(exercises, "Session", Session)
    monkeypatch.setattr(exercises.Course, "find", lambda: None)
    return asked


COMMANDS = {
    "start": ("start",), "update": ("update",), "watch": ("watch", "exercise None"), "watch 9.1": ("watch", "exercise 9.1"),
    "hint": ("hint", "exercise None"), "hint 9.1": ("hint", "exercise 9.1"), "list": ("list", False), "list --all": ("list", True),
    "solution 9.1": ("solution", "exercise 9.1", ("ask", True)), "solution 9.1 --yes": ("solution", "exercise 9.1", ("ask", False)),
    "reset 9.1": ("reset", "exercise 9.1", ("ask", True)), "reset 9.1 --yes": ("reset", "exercise 9.1", ("ask", False)),
    "test": ("test", "exercise None", False, False), "test 9.1": ("test", "exercise 9.1", False, False),
    "test 9.1 --full": ("test", "exercise 9.1", True, False), "test 9.1 --debug": ("test", "exercise 9.1", False, True),
    "test --all": ("test_all",),
}  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_each_flag_of_the_exercises_commands_is_what_is_done(line, asked):
    assert main.main(line.split()) == 0
    assert asked.calls == [COMMANDS[line]]
    asked.green = False
    assert main.main(line.split()) == (1 if line.startswith("test") else 0)


def test_tgl_alone_watches_where_there_is_a_desk_and_a_terminal(asked, monkeypatch, capsys):
    for terminal, watched in ((True, [("watch", "exercise None")]), (False, [])):
        asked.calls.clear()
        monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda terminal=terminal: terminal))
        assert main.main([]) == 0
        assert asked.calls == watched and ("usage: tgl COMMAND" in capsys.readouterr().out) is not terminal


class TwoChapters(Course):
    def __init__(self):
        super().__init__(Path("here"), ())

    def chapters(self):
        return {"09": Path("09_some_thing.py"), "10": Path("10_more.py")}


def test_a_chapter_gets_its_flags_and_mine_is_ours(monkeypatch, capsys):
    calls, status = [], [0]
    monkeypatch.setattr(chapter.Course, "find", TwoChapters)
    monkeypatch.setattr(
        chapter, "green_files", lambda course, number: ({"target": Path("f.py")}, [f"09.1 of {number}"])
    )
    monkeypatch.setattr(chapter, "chapter_command", lambda course, *rest: calls.append(rest) or status[0])
    assert main.main(["chapter", "9", "--fast", "--seeds", "3"]) == 0 and "09.1" not in capsys.readouterr().out
    assert main.main(["chapter", "09", "--fast", "--mine", "--json"]) == 0 and "09.1 of 09" in capsys.readouterr().out
    assert calls == [("09", ["--fast", "--seeds", "3"], {}), ("09", ["--fast", "--json"], {"target": Path("f.py")})]
    for status[0], said in ((3, 3), (-15, 143), (-2, 130)):
        assert main.main(["chapter", "10"]) == said
    assert main.main(["chapter", "11"]) == 2
    with pytest.raises(SystemExit):
        main.main(["chapter"])
    shown = capsys.readouterr().out
    assert "  09  some thing\n  10  more\n" in shown


def test_sync_with_check_writes_nothing_and_says_what_differs_by_its_status(monkeypatch, capsys):
    calls, stale, course = [], ["a.py"], SimpleNamespace(check_checkout=lambda what: None)
    monkeypatch.setattr(dev.Course, "find", lambda: course)
    monkeypatch.setattr(dev, "sync", lambda *arguments: calls.append(arguments) or stale)
    assert main.main(["dev", "sync", "--check"]) == 1 and capsys.readouterr().out == "differs: a.py\n"
    assert main.main(["dev", "sync"]) == 0 and capsys.readouterr().out == "written: a.py\n"
    stale.clear()
    assert main.main(["dev", "sync", "--check"]) == 0
    assert calls == [(course, True), (course, False), (course, True)]
    assert main.main(["dev", "other"]) == 2


def test_each_flag_of_prove_is_what_is_proved(monkeypatch):
    """Of three exercises the first is proved already."""
    all_three, calls = [SimpleNamespace(id=id) for id in "abc"], []
    course = SimpleNamespace(
        exercises=all_three, get=lambda id: all_three["abc".index(id)], check_checkout=lambda what: None
    )
    monkeypatch.setattr(dev.Course, "find", lambda: course)
    monkeypatch.setattr(dev, "unproved", lambda course: all_three[1:])
    monkeypatch.setattr(
        dev,
        "sample",
        lambda exercises, count, seed: calls.append(([e.id for e in exercises], count, seed)) or exercises[:count],
    )
    monkeypatch.setattr(dev, "fingerprint", lambda course, exercise: f"hash {exercise.id}")
    monkeypatch.setattr(dev, "load_proofs", lambda course: {"old": "1"})
    monkeypatch.setattr(dev, "save_proofs", lambda course, proofs: calls.append(proofs))
    problems = {}
    monkeypatch.setattr(
        dev,
        "prove",
        lambda course, exercises, whole: calls.append(([e.id for e in exercises], [e.id for e in whole])) or problems,
    )
    hashes = {id: f"hash {id}" for id in "abc"}
    for line, drawn, proved, kept in (
        ("", (["a"], 0, ""), ("abc", "bc"), "bc"), ("--sample 1 --seed x", (["a"], 1, "x"), ("abc", "bca"), "bca"),
        ("b", (["a", "c"], 0, ""), ("b", "b"), "b"), ("c a --seed y", (["b"], 0, "y"), ("ca", "ca"), "ca"), ("--all", ([], 0, ""), ("abc", "abc"), "abc"),
    ):  # fmt: skip
        calls.clear()
        assert main.main(["dev", "prove", *line.split()]) == 0
        assert calls == [drawn, tuple(map(list, proved)), {"old": "1"} | {id: hashes[id] for id in kept}], line
    problems["b"] = ["not found"]
    assert main.main(["dev", "prove"]) == 1 and calls[-1] == {"old": "1", "c": "hash c"}


def test_the_status_tells_a_mistake_an_interrupt_and_a_full_memory_apart(monkeypatch, capsys):
    def raising(error):
        def command(argv):
            raise error

        monkeypatch.setattr("tinygrad_llm.cli.tokenize.main", command)
        return main.main(["tokenize", "x"]), capsys.readouterr().err

    assert raising(KeyboardInterrupt()) == (130, "\nstopped.\n")
    assert raising(ConfigError("here", "this", "that")) == (2, "error: here: expected this, got that.\n")
    status, said = raising(MemoryError("3 TiB"))
    assert status == 2 and said.startswith("error: memory: ") and "3 TiB" in said
    assert raising(MemoryError())[0] == 2
    status, said = raising(OSError(28, "No space left on device"))
    assert status == 2 and said.startswith("error: standard output: ") and said.count("\n") == 1
    assert raising(StorageError("here", "a place", "none"))[0] == 2
    monkeypatch.setenv("TINYGRAD_LLM_TRACEBACK", "1")
    for error in (ConfigError("here", "this", "that"), MemoryError(), OSError(28, "full")):
        with pytest.raises(type(error)):
            raising(error)


def test_help_of_a_command_is_that_commands(capsys):
    for argv in (["help", "data"], ["data", "-h"], ["data", "--help"]):
        with pytest.raises(SystemExit):
            main.main(argv)
        assert "usage: tgl data" in capsys.readouterr().out
    for argv in (["help"], ["-h"], ["--help"], ["help", "help"]):
        assert main.main(argv) == 0 if argv != ["help", "help"] else True
    assert capsys.readouterr().out.count("usage: tgl COMMAND") >= 3


@dataclass(frozen=True)
class Flags:
    text: str = field(metadata={"help": "what"})
    other: str | None = field(default=None, metadata={"help": "50 % of it"})
    batch_size: int = field(default=3, metadata={"help": "how many"})
    seed: int | None = field(default=None, metadata={"help": "same seed, same text"})
    loud: bool = field(default=False, metadata={"help": "or not"})


PRESETS = {"small": {"batch_size": 4}, "large": {"batch_size": 99}}


def given(*argv, presets=None):
    return parse(argv, Flags, prog="p", about="a", positional=["text", "other"], presets=presets)


def test_flags_are_read_in_every_spelling_and_what_was_not_given_is_left_out():
    assert given("a") == ({"text": "a"}, None)
    assert given("a", "b", "--batch_size=7", "--loud")[0] == {"text": "a", "other": "b", "batch_size": 7, "loud": True}
    assert given("--no-loud", "--batch-size", "1_000", "a")[0] == {"text": "a", "batch_size": 1000, "loud": False}
    assert given("--", "--batch_size")[0] == {"text": "--batch_size"}
    assert given("--seed", "0", "a", "--", "-b")[0] == {"text": "a", "other": "-b", "seed": 0}
    assert given("a", presets=PRESETS) == ({"text": "a"}, "small")
    assert (
        given("a", "--preset", "large", presets=PRESETS)
        == given("a", "--preset=large", presets=PRESETS)
        == ({"text": "a"}, "large")
    )
    for argv, said in (
        (["a", "--batch-sise", "3"], "Did you mean --batch-size"), (["a", "--batch", "3"], "unknown --batch"), (["a", "--batch-size", "0"], "--batch-size: expected"),
        (["a", "--batch-size", "x"], "'x'"), ([], "text"), (["a", "b", "c"], "unknown c"), (["a", "--preset", "none"], "unknown --preset"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=said):
            given(*argv)


@pytest.mark.parametrize(
    ("argv", "default"),
    [([], 4), (["--preset", "large"], 99), (["--preset=large"], 99), (["--preset=small"], 4)],
    ids=str,
)
def test_help_shows_the_defaults_of_the_preset_however_it_is_named(argv, default, capsys):
    with pytest.raises(SystemExit):
        given(*argv, "--help", presets=PRESETS)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"how many (default {default})" in shown and "50 % of it" in shown and "(default small)" in shown


def test_errors_name_the_flag_and_numpy_says_nothing():
    with pytest.raises(ArgumentError) as found, in_flags(Flags, ["text"], deeper="--text"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.exp(np.array([1e9]))  # an overflow
        raise ArgumentError("batch_size", "below batch_size", {"batch_size": 3, "x": 1}, "Lower batch_size.")
    error = found.value
    assert (error.name, error.expected, error.got, error.next_step) == (
        "--batch-size",
        "below --batch-size",
        "--batch-size = 3, x = 1",
        "Lower --batch-size.",
    )
    with pytest.raises(ArgumentError) as found, in_flags(Flags, ["text"], deeper="--text"):
        raise ArgumentError("deeper", "a text", "the seed, a user's batch_size")
    assert (found.value.name, found.value.expected, found.value.got) == (
        "--text",
        "a text",
        "the seed, a user's batch_size",
    )


def test_chapters_are_listed_under_the_titles_that_they_have(capsys):
    with pytest.raises(SystemExit):
        chapter.main([])
    shown = capsys.readouterr().out
    course = Course.find()
    heads = [path.read_text(encoding="utf-8").splitlines()[1] for path in course.chapters().values()]
    assert len(heads) > 30 and all(f"  {head.removeprefix('# # ').replace(' · ', '  ')}\n" in shown for head in heads)
    assert "  12  GPT\n" in shown and "  22  LoRA and adapters\n" in shown
