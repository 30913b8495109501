"""A trained model and its tokenizer, from wherever a user points at."""

from __future__ import annotations

import sys
from typing import Any

from tinygrad_llm.datasets.text import decoded, read_text
from tinygrad_llm.errors import DataError, TokenError
from tinygrad_llm.finetune.opened import open_model
from tinygrad_llm.tokenizer import Tokenizer

STDIN = "-"
"""A text of this name is read from standard input."""


def read_stdin() -> bytes:
    """All of standard input.  Raises DataError where there is none."""
    if sys.stdin is None:
        raise DataError("standard input", "a text", "a stream that is closed")
    return sys.stdin.buffer.read()


def text_of(name: str, newlines: str = "keep") -> str:
    """The text of a file, or of standard input, by the same rules."""
    return decoded(read_stdin(), "standard input", newlines) if name == STDIN else read_text(name, newlines)


def load_model(path: str) -> tuple[Any, Tokenizer]:
    """From whatever `open_model` opens, which says what it raises."""
    opened = open_model(path)
    return opened.model, opened.tokenizer


def beginning(tokenizer: Tokenizer) -> list[int]:
    """What to start from where no prompt is given: a line end, or token 0 where the vocabulary has none."""
    try:
        return tokenizer.encode("\n") or [0]  # BERT's and T5's drop white space
    except TokenError:
        return [0]
