"""`tgl tokenize`: what a tokenizer makes of a text."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from tinygrad_llm.cli.flags import SPECIAL_HELP, command
from tinygrad_llm.cli.load import STDIN, text_of
from tinygrad_llm.datasets.download import find_file
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.ranges import TEXT
from tinygrad_llm.tokenizer import ByteTokenizer, RegexBPETokenizer, Tokenizer, load_tokenizer
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.train.checkpoint import exists, load_checkpoint
from tinygrad_llm.train.lock import newest
from tinygrad_llm.train.run import tokenizer_of


@dataclass(frozen=True)
class TokenizeFlags:
    """See each field's help."""

    text: str | None = field(default=None, metadata={"help": "the text itself; - or none reads standard input"})
    tokenizer: str = field(
        default="byte", metadata={"help": "byte, gpt2, a tokenizer's file or folder, or a run's folder", "range": TEXT}
    )
    special: str = field(default="refuse", metadata={"help": SPECIAL_HELP})


@command(TokenizeFlags, prog="tgl tokenize", about="Shows the tokens of a text.", positional=["text"])
def main(flags: TokenizeFlags) -> int:
    """Prints a token a line: id and bytes, and the count."""
    tokenizer = _tokenizer(flags.tokenizer)
    text = _text(flags.text)
    ids = encode_text(tokenizer, text, flags.special).tolist()
    for token in ids:
        print(f"{token:8}  {tokenizer.token_bytes(token).decode('utf-8', errors='backslashreplace')!r}")
    print(f"{len(ids)} tokens, {len(text)} characters, {len(text.encode('utf-8'))} bytes")
    return 0


def _text(given: str | None) -> str:
    """What was given, or comes by a pipe: nobody is left waiting at a terminal without having asked for it."""
    if given is None and sys.stdin is not None and sys.stdin.isatty():
        raise ConfigError("text", "a text", "none", "Give it, or pipe it in: tgl tokenize < FILE")
    return text_of(STDIN) if given in (None, STDIN) else given


def _tokenizer(name: str) -> Tokenizer:
    if name == "byte":
        return ByteTokenizer()
    if name == "gpt2":
        return RegexBPETokenizer.from_gpt2_files(find_file("gpt2/encoder.json"), find_file("gpt2/vocab.bpe"))
    if exists(newest(Path(name))):
        return tokenizer_of(load_checkpoint(newest(Path(name))))
    if not Path(name).exists():
        learned = f"{name} is learned from a text: tgl train --tokenizer {name}, then name the run's folder."
        next_step = learned if name in ("bpe", "char") else "Is the path right?"
        expected = "byte, gpt2, a tokenizer's file or folder, or a run's folder"
        raise ConfigError("--tokenizer", expected, repr(name), next_step)
    return load_tokenizer(name)
