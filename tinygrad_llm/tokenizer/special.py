"""Special tokens: marks of the vocabulary, such as <|endoftext|>, that no text is cut into.

Where their text stands in what a user gives, it is a mistake, the token, or only its characters: what somebody wrote
must not be able to end a document unnoticed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

import numpy as np
import regex

from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.base import Tokenizer

SPECIAL = ("refuse", "allow", "text")


class SpecialTokens(Tokenizer):
    """A tokenizer with special tokens: `special` has their texts, each with its id.

    Of those that begin at one place the longest is meant.
    """

    special: dict[str, int]

    def _set_special(self, special: Mapping[str, int]) -> None:
        self.special = dict(special)
        longest_first = sorted(self.special, key=len, reverse=True)
        self._specials = regex.compile("|".join(map(regex.escape, longest_first))) if longest_first else None

    @abstractmethod
    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which nothing is special."""

    def certain(self, text: str) -> tuple[list[int], int]:
        """The ids of a beginning of `text` that are the same whatever follows, and how many characters it has.

        No special token stands in the text.
        """
        return [], 0

    def encode(self, text: str, allowed_special: Iterable[str] = ()) -> list[int]:
        """The ids of a text.  A special token's text is refused with TokenError unless it is in `allowed_special`:
        what a user types must not be able to end a document."""
        if self._specials is None or not any(map(text.__contains__, self.special)):
            return self.encode_ordinary(text)
        return self._encode(text, frozenset(allowed_special))

    def encode_stream(self, chunks: Iterable[str], allowed_special: Iterable[str] = ()) -> Iterator[int]:
        """The same ids, and the same errors, as `encode` of the joined text, however it is cut into chunks.

        Held back is what more text could change: all that is not `certain`, and as many characters as the longest
        special token has. A text of which nothing is certain is looked at again only when it is twice as long.
        """
        allowed = frozenset(allowed_special)
        longest = max(map(len, self.special), default=1)
        held, offset, wait = "", 0, 0
        for chunk in chunks:
            held += chunk
            if len(held) < wait:
                continue
            start, stop = 0, max(0, len(held) - longest + 1)  # from `stop` on, a special token may be cut off
            for part, end in self._through_special(held, stop, allowed, offset):
                yield from part
                start = end
            ids, count = self.certain(held[start:stop])
            yield from ids
            start += count
            held, offset = held[start:], offset + start
            wait = 2 * len(held)
        yield from self._encode(held, allowed, offset)

    def _encode(self, text: str, allowed: AbstractSet[str], offset: int = 0) -> list[int]:
        ids: list[int] = []
        start = 0
        for part, end in self._through_special(text, len(text), allowed, offset):
            ids += part
            start = end
        return ids + self.encode_ordinary(text[start:])

    def _through_special(
        self, text: str, stop: int, allowed: AbstractSet[str], offset: int
    ) -> Iterator[tuple[list[int], int]]:
        """The ids through each special token that starts before `stop`, and where it ends.

        Raises TokenError for one that is not allowed; `offset` is the position of `text` in the whole.
        """
        start = 0
        for found in self._special_in(text, stop, allowed, offset):
            ordinary = self.encode_ordinary(text[start : found.start()])
            start = found.end()
            yield [*ordinary, self.special[found.group()]], start

    def _special_in(self, text: str, stop: int, allowed: AbstractSet[str], offset: int) -> Iterator[regex.Match[str]]:
        for found in self._specials.finditer(text) if self._specials is not None else ():
            if found.start() >= stop:
                return
            if found.group() not in allowed:
                next_step = "Pass allowed_special to mean the token, or encode_ordinary() to mean the characters."
                raise _refused(found.group(), offset + found.start(), next_step)
            yield found

    def between_special(self, text: str) -> list[str]:
        """What stands between the special tokens of a text, each of which is a border as between two texts."""
        return [text] if self._specials is None else self._specials.split(text)

    def first_special(self, text: str) -> tuple[str, int] | None:
        """The first special token whose text stands in `text`, and where, or None."""
        found = self._specials.search(text) if self._specials is not None else None
        return None if found is None else (found.group(), found.start())


def special_of(tokenizer: Tokenizer) -> dict[str, int]:
    """A tokenizer's special tokens, each with its id; none of a kind that knows none."""
    return tokenizer.special if isinstance(tokenizer, SpecialTokens) else {}


def encode_text(tokenizer: Tokenizer, text: str, special: str = "refuse") -> np.ndarray:
    """The ids of a text: "allow" takes `<|endoftext|>` for the token, "text" for its characters.

    Raises TokenError for it with "refuse": what somebody wrote must not end a document unnoticed. A tokenizer without
    special tokens knows only characters.
    """
    if not isinstance(tokenizer, SpecialTokens):
        return tokenizer.encode_array(text)
    if special == "allow":
        return np.array(tokenizer.encode(text, tokenizer.special), np.int64)
    if special == "text":
        return np.array(tokenizer.encode_ordinary(text), np.int64)
    if found := tokenizer.first_special(text):
        raise _refused(*found, "Say what it means: --special allow (the token), or --special text (its characters).")
    return tokenizer.encode_array(text)


def _refused(name: str, place: int, next_step: str) -> TokenError:
    return TokenError("text", "ordinary text", f"the special token {name!r} at position {place}", next_step)
