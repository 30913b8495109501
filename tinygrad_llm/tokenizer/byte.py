"""One token a byte of UTF-8: 256 tokens represent every text.

Limitation: sequences are long. A word of six letters is six tokens, an emoji four.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.base import Tokenizer


def utf8(text: str) -> bytes:
    """The text in UTF-8.  Raises TokenError for half of a surrogate pair, which no file can hold."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        got = f"the lone surrogate {text[error.start]!a} at position {error.start}"
        raise TokenError("text", "Unicode characters", got, "Read the text as UTF-8 again.") from error


class ByteTokenizer(Tokenizer):
    """Token i is byte i."""

    kind = "byte"
    vocab_size = 256

    def encode(self, text: str) -> list[int]:
        """One id a byte."""
        return list(utf8(text))

    def encode_array(self, text: str) -> np.ndarray:
        """All at once."""
        return np.frombuffer(utf8(text), np.uint8).astype(np.int64)

    def token_bytes(self, token: int) -> bytes:
        """The byte."""
        return bytes((self.check_id(token),))

    def to_dict(self) -> dict[str, Any]:
        """The kind alone."""
        return {"type": self.kind}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> ByteTokenizer:
        """See Tokenizer."""
        return cls()
