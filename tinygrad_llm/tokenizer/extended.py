"""A tokenizer with further special tokens: a chat template needs marks that the tokenizer of a text does not have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_llm.errors import ArgumentError, CheckpointError
from tinygrad_llm.tokenizer.base import Tokenizer, field
from tinygrad_llm.tokenizer.special import SpecialTokens, special_of


class ExtendedTokenizer(SpecialTokens):
    """The ids of `base`, and after them one for each text of `added`, which are special."""

    kind = "extended"

    def __init__(self, base: Tokenizer, added: Iterable[str]) -> None:
        self.base, self.added = base, list(added)
        have = special_of(base)
        if not self.added or len({*self.added, *have, ""}) < len(self.added) + len(have) + 1:
            raise ArgumentError("added", "texts of new special tokens, each once", self.added)
        self.vocab_size = base.vocab_size + len(self.added)
        self._set_special({**have, **{text: base.vocab_size + i for i, text in enumerate(self.added)}})

    def encode_ordinary(self, text: str) -> list[int]:
        """The base's ids of a text in which nothing is special."""
        base = self.base
        return base.encode_ordinary(text) if isinstance(base, SpecialTokens) else base.encode(text)

    def certain(self, text: str) -> tuple[list[int], int]:
        """As of the base."""
        return self.base.certain(text) if isinstance(self.base, SpecialTokens) else ([], 0)

    def token_bytes(self, token: int) -> bytes:
        """The base's, or the special token's text."""
        place = self.check_id(token) - self.base.vocab_size
        return self.base.token_bytes(token) if place < 0 else self.added[place].encode("utf-8")

    def first_bytes(self, token: int) -> bytes:
        """See Tokenizer."""
        return self.base.first_bytes(token) if token < self.base.vocab_size else self.token_bytes(token)

    def to_dict(self) -> dict[str, Any]:
        """The base's, and the texts."""
        return {"type": self.kind, "base": self.base.to_dict(), "added": self.added}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> ExtendedTokenizer:
        """See Tokenizer."""
        from tinygrad_llm.tokenizer import tokenizer_from_dict  # the table of all kinds, this one among them

        added = field(document, "added", list)
        if not all(isinstance(text, str) for text in added):
            raise CheckpointError("tokenizer added", "texts", repr(added)[:60], "Was the file altered?")
        return cls(tokenizer_from_dict(field(document, "base", dict)), added)
