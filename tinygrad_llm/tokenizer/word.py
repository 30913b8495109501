"""One token a word, and one a run of punctuation: what texts of few words are read with.

What it still cannot do: say a word that its training text lacked, or know that "lantern" and "lanterns" have anything
in common. A vocabulary of a real language has no end; with an unknown token the text cannot be restored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tinygrad_llm.errors import CheckpointError, DataError, TokenError
from tinygrad_llm.tokenizer.base import Tokenizer, field
from tinygrad_llm.tokenizer.byte import utf8

SPACED = re.compile(r" ?\w+| ?[^\w\s]+|\s")
"""Words and runs of other signs, each with the space before it, and what white space is left: nothing is lost."""
BARE = re.compile(r"\w+|[^\w\s]")
"""Words, and each other sign by itself; white space is lost."""


class WordTokenizer(Tokenizer):
    """Token i is word i of `vocabulary`.

    spaces  True: a word has the space before it, " cat" and "cat" are two words, and decode(encode(text)) == text.
            False: white space separates words and is lost; decoding writes one space after each.
    unk     the token of the vocabulary that stands for every unknown word; without it these raise TokenError.

    Raises CheckpointError for a vocabulary that is empty, or has a word twice, or one that no text is cut into.
    """

    kind = "word"

    def __init__(self, vocabulary: Sequence[str], *, spaces: bool = True, unk: str | None = None) -> None:
        self.vocabulary, self.spaces, self.unk = list(vocabulary), spaces, unk
        self.vocab_size = len(self.vocabulary)
        self.id_of = {word: i for i, word in enumerate(self.vocabulary)}
        self._pattern = SPACED if spaces else BARE
        if not self.vocabulary or len(self.id_of) != self.vocab_size:
            raise CheckpointError("vocabulary", "at least one word, each once", f"{self.vocab_size} words")
        for word in self.vocabulary:
            if word != unk and not self._pattern.fullmatch(word):
                raise CheckpointError("vocabulary", "words as the text is cut into them", repr(word)[:60])
        if unk is not None and unk not in self.id_of:
            raise CheckpointError("unk", "a token of the vocabulary", repr(unk))
        try:
            self._bytes = [utf8(word if spaces else f"{word} ") for word in self.vocabulary]
        except TokenError as error:
            raise CheckpointError("vocabulary", error.expected, error.got, error.next_step) from error

    @classmethod
    def train(cls, text: str, *, spaces: bool = True, unk: str | None = None) -> WordTokenizer:
        """The words of `text` in the order of their first occurrence, behind `unk` where there is one."""
        words = dict.fromkeys((SPACED if spaces else BARE).findall(text))
        if not words:
            raise DataError("text", "at least one word", repr(text)[:60])
        return cls([*([] if unk is None else [unk]), *words], spaces=spaces, unk=unk)

    def words(self, text: str) -> list[str]:
        """The text cut into words; with `spaces`, joined they are the text."""
        return self._pattern.findall(text)

    def encode(self, text: str) -> list[int]:
        """One id a word.  Raises TokenError that names the first unknown word and where it stands, unless `unk`."""
        if self.unk is not None:
            return [self.id_of.get(word, self.id_of[self.unk]) for word in self.words(text)]
        try:
            return [self.id_of[word] for word in self.words(text)]
        except KeyError:
            found = next(found for found in self._pattern.finditer(text) if found.group() not in self.id_of)
            got = f"{found.group()!r} at position {found.start()}"
            next_step = "Train on a text that has it, or with unk."
            raise TokenError("text", f"the {self.vocab_size} words of this tokenizer", got, next_step) from None

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """The same ids as of the joined text, holding back the last word, which may go on in the next chunk."""
        held = ""
        for chunk in chunks:
            held += chunk
            starts = [found.start() for found in self._pattern.finditer(held)]
            if len(starts) > 1:
                yield from self.encode(held[: starts[-1]])
                held = held[starts[-1] :]
        yield from self.encode(held)

    def token_bytes(self, token: int) -> bytes:
        """The word in UTF-8; without `spaces` a space follows it."""
        return self._bytes[self.check_id(token)]

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary, and how texts are cut."""
        return {"type": self.kind, "vocabulary": self.vocabulary, "spaces": self.spaces, "unk": self.unk}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> WordTokenizer:
        """See Tokenizer."""
        vocabulary, spaces = field(document, "vocabulary", list), document.get("spaces")
        unk = None if document.get("unk") is None else field(document, "unk", str)
        if not all(isinstance(word, str) for word in vocabulary) or not isinstance(spaces, bool):
            raise CheckpointError("tokenizer", "a vocabulary of words, and spaces", repr(document)[:60])
        return cls(vocabulary, spaces=spaces, unk=unk)
