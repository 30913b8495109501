"""`tgl COMMAND …`: finds the command, and turns an error into one line."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from tinygrad_llm.errors import ConfigError, TinygradLLMError

COMMANDS = {
    "train": "train a model on a text, with a progress bar, a curve and checkpoints",
    "sample": "let a trained model write",
    "eval": "a trained model's loss on a text, beside n-grams",
    "tokenize": "show the tokens of a text",
    "data": "list and get real texts",
    "doctor": "what is installed here, and what is missing",
}
MODULES = {name: f"tinygrad_llm.cli.{ {'eval': 'evaluate'}.get(name, name) }" for name in COMMANDS}
INTERRUPTED = 130  # 128 + SIGINT, what a shell expects


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0, 2 for a mistake, 130 after Ctrl-C."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0
    try:
        if argv[0] not in COMMANDS:
            raise ConfigError("tgl", " or ".join(COMMANDS), argv[0], "`tgl --help` says what each does.")
        return importlib.import_module(MODULES[argv[0]]).main(argv[1:])
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


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  {name:10}{about}" for name, about in COMMANDS.items()]
    return "\n".join(["usage: tgl COMMAND [flags]      (tgl COMMAND --help for its flags)", "", *lines])
