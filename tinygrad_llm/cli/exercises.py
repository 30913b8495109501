"""`tgl start`, `watch`, `test`, `list`, `hint`, `solution`, `reset`, `update`: the exercises."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tinygrad_llm.cli.flags import parse
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.course.exercises.session import Session
from tinygrad_llm.errors import ConfigError

RED = 1


@dataclass(frozen=True)
class NoFlags:
    """Takes none."""


@dataclass(frozen=True)
class IdFlags:
    """Which exercise."""

    id: str | None = field(
        default=None, metadata={"help": "an exercise as in `tgl list`, or its file; else the current one"}
    )


@dataclass(frozen=True)
class TestFlags(IdFlags):
    """Which exercise, and how much is shown."""

    full: bool = field(default=False, metadata={"help": "all that pytest printed, tracebacks too"})
    all: bool = field(default=False, metadata={"help": "every exercise, a line each"})
    debug: bool = field(default=False, metadata={"help": "without a time limit, so that breakpoint() stops"})


@dataclass(frozen=True)
class ListFlags:
    """How much is shown."""

    all: bool = field(default=False, metadata={"help": "the exercises of every chapter"})


@dataclass(frozen=True)
class ResetFlags(IdFlags):
    """Which exercise, and whether to ask."""

    yes: bool = field(default=False, metadata={"help": "do not ask"})


def _session(argv: Sequence[str], record: type, command: str, about: str) -> tuple[Session, Any]:
    positional = ["id"] if issubclass(record, IdFlags) else []
    given, _ = parse(argv, record, prog=f"tgl {command}", about=about, positional=positional)
    return Session(Course.find()), record(**given)


def start(argv: Sequence[str]) -> int:
    """`tgl start`."""
    session, _ = _session(argv, NoFlags, "start", "Copies the exercises to work/; what is there stays as it is.")
    session.start()
    return 0


def watch(argv: Sequence[str]) -> int:
    """`tgl watch [ID]`, or `tgl` alone once there is a work/."""
    session, flags = _session(argv, IdFlags, "watch", "Runs the checks of an exercise at each save.")
    session.watch(session.pick(flags.id))
    return 0


def test(argv: Sequence[str]) -> int:
    """`tgl test [ID] [--full] [--all] [--debug]`."""
    session, flags = _session(argv, TestFlags, "test", "Runs the checks of one exercise, or of all.")
    exercise = session.pick(flags.id)
    green = session.test_all() if flags.all else session.test(exercise, flags.full, flags.debug).green
    return 0 if green else RED


def show(argv: Sequence[str]) -> int:
    """`tgl list [--all]`."""
    session, flags = _session(argv, ListFlags, "list", "The chapters, the exercises, and which are done.")
    session.list(flags.all)
    return 0


def hint(argv: Sequence[str]) -> int:
    """`tgl hint [ID]`."""
    session, flags = _session(argv, IdFlags, "hint", "A question; asked again, the idea; then nearly the code.")
    session.hint(session.pick(flags.id))
    return 0


def solution(argv: Sequence[str]) -> int:
    """`tgl solution [ID]`."""
    session, flags = _session(argv, ResetFlags, "solution", "Our answer beside yours.")
    session.solution(session.pick(flags.id), ask=not flags.yes)
    return 0


def reset(argv: Sequence[str]) -> int:
    """`tgl reset [ID]`."""
    session, flags = _session(argv, ResetFlags, "reset", "Begins an exercise anew, after a backup of yours.")
    session.reset(session.pick(flags.id), ask=not flags.yes)
    return 0


def update(argv: Sequence[str]) -> int:
    """`tgl update`."""
    session, _ = _session(argv, NoFlags, "update", "Takes over new versions of exercises that you have not touched.")
    session.update()
    return 0


def is_started() -> bool:
    """Whether somebody sits at a terminal, in a checkout with a work/ in it."""
    try:
        return sys.stdin.isatty() and Session(Course.find()).desk.started
    except ConfigError:
        return False
