"""`tgl completion SHELL` prints what makes a shell complete `tgl`; at each Tab the shell then asks `answer`.

argcomplete does the talking with the shells. What there is to complete is read off the flags' records and the course.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tinygrad_llm.cli.flags import add_flags, command
from tinygrad_llm.cli.main import COMMANDS
from tinygrad_llm.course.exercises.catalog import Course
from tinygrad_llm.datasets.download import SOURCES
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.extras import install
from tinygrad_llm.ranges import one_of
from tinygrad_llm.train.config import PRESETS

SHELLS = ("bash", "zsh", "fish")
RECORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "train": ("train:TrainFlags", ()), "sample": ("sample:SampleFlags", ("run",)),
    "finetune": ("finetune:FinetuneFlags", ("model",)), "chat": ("chat:ChatFlags", ("model",)),
    "merge": ("merge:MergeFlags", ("run",)), "align": ("align:AlignFlags", ("model",)),
    "eval": ("evaluate:EvalFlags", ("run", "text")), "tokenize": ("tokenize:TokenizeFlags", ("text",)),
    "data": ("data:DataFlags", ("action", "name")), "doctor": ("doctor:DoctorFlags", ()),
    "start": ("exercises:NoFlags", ()), "watch": ("exercises:IdFlags", ("id",)),
    "test": ("exercises:TestFlags", ("id",)),
    "list": ("exercises:ListFlags", ()), "hint": ("exercises:IdFlags", ("id",)),
    "solution": ("exercises:ResetFlags", ("id",)), "reset": ("exercises:ResetFlags", ("id",)),
    "update": ("exercises:NoFlags", ()), "completion": ("completion:CompletionFlags", ("shell",)),
}  # fmt: skip
"""Where a command's flags are, and which of them are given without a name."""
BY_HAND = {
    "chapter": ("--mine", "--fast", "--seeds", "--device", "--json", "--out"),
    "dev": ("--check", "--all", "--sample", "--seed"),
}
"""Commands that hand their arguments on."""


@dataclass(frozen=True)
class CompletionFlags:
    """See the field's help."""

    shell: str = field(metadata={"help": "bash, zsh or fish", "range": one_of(SHELLS)})


ABOUT = """Prints what makes a shell complete tgl's commands and flags.
bash: eval "$(tgl completion bash)" in ~/.bashrc; zsh likewise; fish: tgl completion fish | source"""


@command(CompletionFlags, prog="tgl completion", about=ABOUT, positional=["shell"])
def main(flags: CompletionFlags) -> int:
    """Prints it.  Raises ConfigError without argcomplete."""
    print(_argcomplete().shellcode(["tgl"], shell=flags.shell))
    return 0


def answer() -> None:
    """What a shell asked for by the environment: the words that may come next, and the process ends."""
    _argcomplete().autocomplete(parser_for(os.environ.get("COMP_LINE", "").split()[1:2]))


def parser_for(words: Iterable[str]) -> argparse.ArgumentParser:
    """A parser of all commands; those among `words` with their flags, and with the words that a flag may be."""
    top = argparse.ArgumentParser(prog="tgl")
    commands = top.add_subparsers()
    for name, (_, about) in COMMANDS.items():
        parser = commands.add_parser(name, help=about)
        if name in words:
            _fill(parser, name)
    return top


def _fill(parser: argparse.ArgumentParser, name: str) -> None:
    if name in BY_HAND:
        parser.add_argument("what", choices=_words(f"{name} what"))
        for flag in BY_HAND[name]:
            parser.add_argument(flag)
        return
    (module, _, record), positional = RECORDS[name][0].partition(":"), RECORDS[name][1]
    kind = getattr(importlib.import_module(f"tinygrad_llm.cli.{module}"), record)
    flags = {flag.name: flag for flag in add_flags(parser, kind, positional, PRESETS if name == "train" else {})}
    for action in parser._actions:
        known = flags.get(action.dest)
        words = _words(f"{name} {action.dest}") or (known.allowed.words if known and known.allowed else ())
        if words:
            action.choices = words


def _words(place: str) -> tuple[str, ...]:
    """What is known of a place only here."""
    if place.endswith(" id"):
        return tuple(exercise.id for exercise in Course.find().exercises)
    known: dict[str, Any] = {
        "chapter what": lambda: Course.find().chapters(), "dev what": lambda: ("sync", "prove"),
        "data action": lambda: ("list", "get"), "data name": lambda: SOURCES, "train preset": lambda: PRESETS,
    }  # fmt: skip
    return tuple(known[place]()) if place in known else ()


def _argcomplete() -> Any:
    try:
        return importlib.import_module("argcomplete")
    except ModuleNotFoundError as error:
        raise ConfigError("tgl completion", "argcomplete", "none", install("learn")) from error
