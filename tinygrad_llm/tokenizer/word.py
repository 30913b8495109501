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

    spaces   True: a word has the space before it, " cat" and "cat" are two words, and decode(encode(text)) == text.
             False: white space separates words and is lost; decoding writes one space after each.
    special  tokens of the vocabulary that no text is cut into, such as "<pad>" and "<end>".
    unk      the special token that stands for every unknown word; without it these raise TokenError.

    Raises CheckpointError for a vocabulary that is empty, has a word twice, or one that no text is cut into; and for a
    special token that it lacks, or that a text could spell.
    """

    kind = "word"

    def __init__(
        self, vocabulary: Sequence[str], *, spaces: bool = True, special: Sequence[str] = (), unk: str | None = None
    ) -> None:
        self.vocabulary, self.spaces, self.unk = list(vocabulary), spaces, unk
        self.special = [*special, *([unk] if unk is not None and unk not in special else [])]
        self.vocab_size = len(self.vocabulary)
        self.id_of = {word: i for i, word in enumerate(self.vocabulary)}
        self._pattern = SPACED if spaces else BARE
        if not self.vocabulary or len(self.id_of) != self.vocab_size:
            raise CheckpointError("vocabulary", "at least one word, each once", f"{self.vocab_size} words")
        for word in [*self.vocabulary, *self.special]:
            if word not in self.id_of or (self._pattern.fullmatch(word) is None) != (word in self.special):
                wanted = "words as a text is cut into them, and the special tokens, which no text is cut into"
                raise CheckpointError("vocabulary", wanted, repr(word)[:60])
        try:
            self._bytes = [utf8(word if spaces else f"{word} ") for word in self.vocabulary]
        except TokenError as error:
            raise CheckpointError("vocabulary", error.expected, error.got, error.next_step) from error

    @classmethod
    def train(
        cls, text: str, *, spaces: bool = True, special: Sequence[str] = (), unk: str | None = None
    ) -> WordTokenizer:
        """The special tokens, `unk` the last of them, then the words of `text` in the order of first occurrence."""
        words = dict.fromkeys((SPACED if spaces else BARE).findall(text))
        if not words:
            raise DataError("text", "at least one word", repr(text)[:60])
        first = dict.fromkeys([*special, *([] if unk is None else [unk])])
        return cls([*first, *words], spaces=spaces, special=special, unk=unk)

    def words(self, text: str) -> list[str]:
        """The text cut into words; with `spaces`, joined they are the text."""
        return self._pattern.findall(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """For each word of a text, where in it the word begins and ends."""
        return [found.span() for found in self._pattern.finditer(text)]

    def encode(self, text: str) -> list[int]:
        """One id a word.  Raises TokenError that names the first unknown word and where it stands, unless `unk`."""
        if self.unk is not None:
            return [self.id_of.get(word, self.id_of[self.unk]) for word in self.words(text)]
        try:
            return [self.id_of[word] for word in self.words(text)]
        except KeyError:
            start, end = next((a, b) for a, b in self.spans(text) if text[a:b] not in self.id_of)
            got = f"{text[start:end]!r} at position {start}"
            next_step = "Train on a text that has it, or with unk."
            raise TokenError("text", f"the {self.vocab_size} words of this tokenizer", got, next_step) from None

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """The same ids as of the joined text, holding back the last word, which may go on in the next chunk.

        A text that stays one word is scanned again only when it is twice as long.
        """
        held, wait = "", 0
        for chunk in chunks:
            held += chunk
            if len(held) < wait:
                continue
            spans = self.spans(held)
            if len(spans) > 1:
                last, _ = spans[-1]
                yield from self.encode(held[:last])
                held = held[last:]
            wait = 2 * len(held)
        yield from self.encode(held)

    def token_bytes(self, token: int) -> bytes:
        """The word in UTF-8; without `spaces` a space follows it."""
        return self._bytes[self.check_id(token)]

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary, and how texts are cut."""
        options = {"spaces": self.spaces, "special": self.special, "unk": self.unk}
        return {"type": self.kind, "vocabulary": self.vocabulary, **options}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> WordTokenizer:
        """See Tokenizer."""
        vocabulary, special = field(document, "vocabulary", list), field(document, "special", list)
        unk = None if document.get("unk") is None else field(document, "unk", str)
        spaces = document.get("spaces")
        if not all(isinstance(word, str) for word in [*vocabulary, *special]) or not isinstance(spaces, bool):
            raise CheckpointError("tokenizer", "a vocabulary of words, and spaces", repr(document)[:60])
        return cls(vocabulary, spaces=spaces, special=special, unk=unk)
