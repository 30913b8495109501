"""`tgl COMMAND …`: finds the command, and turns an error into one line."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from tinygrad_llm import __version__
from tinygrad_llm.course.output import MISTAKE, prepare_streams, say, unheard
from tinygrad_llm.errors import ConfigError, DeviceError, TinygradLLMError

COMMANDS = {
    "train": ("train:main", "train a model on a text; draws its curve, keeps checkpoints"),
    "finetune": ("finetune:main", "teach a model to answer as your own lines do"),
    "align": ("align:main", "teach a model what is preferred, or what is right"),
    "chat": ("chat:main", "talk with a model"),
    "merge": ("merge:main", "a fine-tuned run as a plain model"),
    "sample": ("sample:main", "let a trained model write"),
    "eval": ("evaluate:main", "how good is it? a model on texts and tasks, texts, comparisons"),
    "tokenize": ("tokenize:main", "show the tokens of a text"),
    "data": ("data:main", "list and get real texts"),
    "doctor": ("doctor:main", "what is installed here, and what is missing"),
    "chapter": ("chapter:main", "run a chapter; with --mine, on your own functions"),
    "start": ("exercises:start", "begin the exercises: copies them to work/"),
    "watch": ("exercises:watch", "check an exercise at each save (`tgl` alone does it too)"),
    "test": ("exercises:test", "check an exercise once"),
    "list": ("exercises:show", "the exercises, and which are done"),
    "hint": ("exercises:hint", "a hint; asked again, a plainer one"),
    "solution": ("exercises:solution", "our answer beside yours"),
    "reset": ("exercises:reset", "begin an exercise anew, keeping a copy of yours"),
    "update": ("exercises:update", "take over new versions of what you have not touched"),
    "completion": ("completion:main", "what makes a shell complete all this at Tab"),
    "dev": ("dev:main", "for those who write exercises: sync and prove"),
}
NEW_HERE = "New here? Begin with: tgl start"
INTERRUPTED = 130  # 128 + SIGINT, what a shell expects


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0, 2 for a mistake, 128 + the signal where one ended it."""
    prepare_streams()
    status = 0
    try:
        try:
            status = _run(sys.argv[1:] if argv is None else list(argv))
        finally:
            sys.stdout.flush()
    except OSError as error:
        if os.environ.get("TINYGRAD_LLM_TRACEBACK") and not isinstance(error, BrokenPipeError):
            raise
        return unheard(error, status)
    return status


def _run(argv: list[str]) -> int:
    """The command, its errors as one line."""
    try:
        return _dispatch(argv)
    except TinygradLLMError as error:
        if os.environ.get("TINYGRAD_LLM_TRACEBACK"):
            raise
        return say(f"error: {error}", MISTAKE)
    except MemoryError as error:
        if os.environ.get("TINYGRAD_LLM_TRACEBACK"):
            raise
        got = f"too little ({error})" if str(error) else "too little"
        return say(f"error: {DeviceError('memory', 'room for all of it', got, 'Lower the sizes.')}", MISTAKE)
    except KeyboardInterrupt:
        return say("\nstopped.", INTERRUPTED)


def _dispatch(argv: list[str]) -> int:
    """Finds the command and runs it."""
    if "_ARGCOMPLETE" in os.environ:
        importlib.import_module("tinygrad_llm.cli.completion").answer()
    if not argv:
        return _alone()
    if argv[0] == "help":
        argv = [*argv[1:2], "--help"]
    if argv[0] in ("-h", "--help"):
        print(usage())
        return 0
    if argv[0] in ("-V", "--version"):
        print(f"tinygrad_llm {__version__}")
        return 0
    if argv[0] not in COMMANDS:
        near = difflib.get_close_matches(argv[0], COMMANDS, 1)
        next_step = f"Did you mean {near[0]}? " if near else ""
        raise ConfigError("tgl", "a command", argv[0], next_step + "`tgl --help` shows them all.")
    module, function = COMMANDS[argv[0]][0].split(":")
    return getattr(importlib.import_module(f"tinygrad_llm.cli.{module}"), function)(argv[1:])


def _alone() -> int:
    """`tgl` without a command watches the exercise at hand, or says which commands there are."""
    from tinygrad_llm.cli import exercises

    if exercises.is_started():
        return exercises.watch([])
    print(usage())
    return 0


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  {name:12}{about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(["usage: tgl COMMAND [flags]      (tgl COMMAND --help for its flags)", "", *lines, "", NEW_HERE])
