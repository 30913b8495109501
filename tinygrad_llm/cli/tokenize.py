"""`tgl tokenize`: what a tokenizer makes of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinygrad_llm.cli.flags import parse
from tinygrad_llm.datasets.download import find_file
from tinygrad_llm.tokenizer import ByteTokenizer, RegexBPETokenizer, Tokenizer, load_tokenizer
from tinygrad_llm.train.checkpoint import exists, load_checkpoint
from tinygrad_llm.train.run import tokenizer_of


@dataclass(frozen=True)
class TokenizeFlags:
    """See each field's help."""

    text: str = field(metadata={"help": "the text itself"})
    tokenizer: str = field(
        default="byte", metadata={"help": "byte, gpt2, a tokenizer's file or folder, or a run's folder"}
    )


def main(argv: Sequence[str]) -> int:
    """Prints a token a line: id and bytes, and the count."""
    about = "Shows the tokens of a text."
    given, _ = parse(argv, TokenizeFlags, prog="tgl tokenize", about=about, positional=["text"])
    flags = TokenizeFlags(**given)
    tokenizer = _tokenizer(flags.tokenizer)
    ids = tokenizer.encode(flags.text)
    for token in ids:
        print(f"{token:8}  {tokenizer.token_bytes(token).decode('utf-8', errors='backslashreplace')!r}")
    print(f"{len(ids)} tokens, {len(flags.text)} characters, {len(flags.text.encode('utf-8'))} bytes")
    return 0


def _tokenizer(name: str) -> Tokenizer:
    if name == "byte":
        return ByteTokenizer()
    if name == "gpt2":
        return RegexBPETokenizer.from_gpt2_files(find_file("gpt2/encoder.json"), find_file("gpt2/vocab.bpe"))
    last = Path(name) / "checkpoint" / "last"
    return tokenizer_of(load_checkpoint(last)) if exists(last) else load_tokenizer(name)
