"""Tokenizers and their training."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    ("tokenizer/regex_bpe.py", r"| ?\p{L}+| ?\p{N}+| ?[^", r"| ?[\p{L},]+| ?\p{N}+| ?[^", "BPE keeps the comma of \"Hello,\""),
]  # fmt: skip
