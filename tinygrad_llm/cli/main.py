"""`tgl COMMAND …`: finds the command, and turns an error into one line."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from tinygrad_llm.errors import ConfigError, TinygradLLMError

COMMANDS = {
    "train": ("train:main", "train a model on a text; draws its curve, keeps checkpoints"),
    "sample": ("sample:main", "let a trained model write"),
    "eval": ("evaluate:main", "a trained model's loss on a text"),
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
    "dev": ("dev:main", "for those who write exercises: sync and prove"),
}
NEW_HERE = "New here? Begin with: tgl start"
INTERRUPTED = 130  # 128 + SIGINT, what a shell expects


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0, 2 for a mistake, 130 after Ctrl-C."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv and argv[0] in ("-h", "--help"):
        print(usage())
        return 0
    try:
        if not argv:
            return _alone()
        if argv[0] not in COMMANDS:
            near = difflib.get_close_matches(argv[0], COMMANDS, 1)
            next_step = f"Did you mean {near[0]}? " if near else ""
            raise ConfigError("tgl", "a command", argv[0], next_step + "`tgl --help` shows them all.")
        module, function = COMMANDS[argv[0]][0].split(":")
        return getattr(importlib.import_module(f"tinygrad_llm.cli.{module}"), function)(argv[1:])
    except TinygradLLMError as error:
        if os.environ.get("TINYGRAD_LLM_TRACEBACK"):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone; there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _alone() -> int:
    """`tgl` without a command watches the exercise at hand, or says which commands there are."""
    from tinygrad_llm.cli import exercises

    if exercises.is_started():
        return exercises.watch([])
    print(usage())
    return 0


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  {name:10}{about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(["usage: tgl COMMAND [flags]      (tgl COMMAND --help for its flags)", "", *lines, "", NEW_HERE])
