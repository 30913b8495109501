"""A trained model and its tokenizer, from wherever a user points at."""

from __future__ import annotations

import sys
from pathlib import Path

from tinygrad_llm.datasets.text import decoded, read_text
from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.hugging_face import from_pretrained
from tinygrad_llm.tokenizer import Tokenizer, load_tokenizer
from tinygrad_llm.train.checkpoint import exists, load_checkpoint
from tinygrad_llm.train.run import model_of, tokenizer_of

THEIRS = (
    "config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)  # fmt: skip
"""Files by which a folder in Hugging Face's layout is known, whole or not."""


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


def load_model(path: str) -> tuple[Decoder, Tokenizer]:
    """From a run's folder (its best checkpoint, else its last), a checkpoint, or a folder in Hugging Face's layout.

    Raises CheckpointError for anything else.
    """
    folder = Path(path)
    for candidate in (folder / "checkpoint" / "best", folder / "checkpoint" / "last", folder):
        if exists(candidate) and ((candidate / "manifest.json").exists() or candidate != folder):
            saved = load_checkpoint(candidate)
            return model_of(saved), tokenizer_of(saved)
    if any((folder / name).exists() for name in THEIRS):
        model = from_pretrained(folder)
        if not isinstance(model, Decoder):
            raise CheckpointError(
                str(folder), "a decoder", type(model).__name__, "Open it in Python: from_pretrained(path)"
            )
        return model, load_tokenizer(folder)
    raise CheckpointError(str(folder), "a run's folder, a checkpoint, or a model", "neither", "Train one: tgl train")


def beginning(tokenizer: Tokenizer) -> list[int]:
    """What to start from where no prompt is given: a line end, or token 0 where the vocabulary has none."""
    try:
        return tokenizer.encode("\n") or [0]  # BERT's and T5's drop white space
    except TokenError:
        return [0]
