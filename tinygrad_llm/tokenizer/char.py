"""One token a character.

Limitation: a character that the training text lacked cannot be encoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.tokenizer.base import Tokenizer, field


class CharTokenizer(Tokenizer):
    """Token i is character i of `alphabet`."""

    kind = "char"

    def __init__(self, alphabet: str) -> None:
        if not alphabet or len(set(alphabet)) != len(alphabet):
            raise CheckpointError("alphabet", "at least one character, each once", repr(alphabet[:40]))
        try:
            alphabet.encode("utf-8")
        except UnicodeEncodeError as error:
            next_step = "Half of a surrogate pair is no character."
            raise CheckpointError("alphabet", "Unicode characters", f"{alphabet[error.start]!a}", next_step) from error
        self.alphabet, self.vocab_size = alphabet, len(alphabet)
        codes = np.array([ord(c) for c in alphabet], np.int64)
        self._id_of_code = np.full(int(codes.max()) + 2, -1, np.int64)  # the last entry is for all larger codes
        self._id_of_code[codes] = np.arange(len(alphabet))

    @classmethod
    def train(cls, text: str) -> CharTokenizer:
        """The characters that occur in `text`, in the order of their code points."""
        if not text:
            raise DataError("text", "at least one character", "an empty text")
        return cls("".join(sorted(set(text))))

    def with_letters(self, text: str) -> CharTokenizer:
        """The same with the characters of `text` that it lacks, behind its own, whose ids stay."""
        lacking = sorted(set(text) - set(self.alphabet))
        return CharTokenizer(self.alphabet + "".join(lacking)) if lacking else self

    def encode(self, text: str) -> list[int]:
        """One id a character.  Raises TokenError that names the first unknown character and its position."""
        return self.encode_array(text).tolist()

    def encode_array(self, text: str) -> np.ndarray:
        """All at once, through a table of code points."""
        codes = np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32).astype(np.int64)
        ids = self._id_of_code[np.minimum(codes, len(self._id_of_code) - 1)]
        if len(ids) and ids.min() < 0:
            at = int(np.argmin(ids >= 0))
            got = f"{text[at]!r} (U+{ord(text[at]):04X}) at position {at}"
            next_step = "Train on a text that has it, or use --tokenizer byte."
            expected = f"the {self.vocab_size} characters of this tokenizer"
            raise TokenError("text", expected, got, next_step, character=text[at])
        return ids

    def token_bytes(self, token: int) -> bytes:
        """The character in UTF-8."""
        return self.alphabet[self.check_id(token)].encode("utf-8")

    def to_dict(self) -> dict[str, Any]:
        """The alphabet."""
        return {"type": self.kind, "alphabet": self.alphabet}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> CharTokenizer:
        """See Tokenizer."""
        return cls(field(document, "alphabet", str))
