"""Tokens that are looked for in a text before it is cut into words, as tokenizer.json's `added_tokens` describe them.

    special      a mark that no text spells: it is refused where it is not allowed (see `special`)
    normalized   it is looked for in the normalized text, in its own normalized form
    single_word  only where no letter or digit stands beside it
    lstrip, rstrip   the white space before it, after it, belongs to it

Where several begin at one place, the longest is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import regex

from tinygrad_llm.tokenizer.json_parts import options, refused

_LETTER = regex.compile(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]")
_SPACE = regex.compile(r"\p{White_Space}*")


@dataclass(frozen=True)
class AddedToken:
    """See the module's text."""

    id: int
    content: str
    special: bool
    normalized: bool
    single_word: bool
    lstrip: bool
    rstrip: bool


def added_tokens_of(said: Any, where: str = "added_tokens") -> list[AddedToken]:
    """The tokens that the list describes.  Raises CheckpointError for anything else."""
    if not isinstance(said, list):
        raise refused(where, "a list", said)
    found = []
    for i, token in enumerate(said):
        name = f"{where}[{i}]"
        if not isinstance(token, dict):
            raise refused(name, "an object", token)
        special = token.get("special") is True
        flags = options(
            token, name, id=int, content=str, special=False, normalized=not special, single_word=False, lstrip=False,
            rstrip=False,
        )  # fmt: skip
        if not flags["content"] or flags["id"] < 0:
            raise refused(name, "a text and an id", token)
        found.append(AddedToken(**flags))
    return found


class AddedTokens:
    """Finds tokens in a text; `form` is what their content is looked for as."""

    def __init__(self, tokens: Iterable[AddedToken], form: Callable[[str], str] = str) -> None:
        self.token_of: dict[str, AddedToken] = {}
        for token in tokens:
            self.token_of.setdefault(form(token.content), token)
        self.token_of.pop("", None)
        longest_first = sorted(self.token_of, key=len, reverse=True)
        self._pattern = regex.compile("|".join(map(regex.escape, longest_first))) if longest_first else None

    def cut(self, text: str) -> Iterator[tuple[str | AddedToken, int]]:
        """The text's parts and the tokens between them, each with the place where it begins."""
        done = 0
        for found in self._pattern.finditer(text) if self._pattern is not None else ():
            token, (start, end) = self.token_of[found.group()], found.span()
            if token.single_word and (_LETTER.match(text[end:]) or _LETTER.match(text[:start][-1:])):
                continue
            if token.lstrip:
                before = text[done:start]
                start -= len(before) - len(before.rstrip(_spaces_of(before)))
            if token.rstrip:
                end = _SPACE.match(text, end).end()
            if done < start:
                yield text[done:start], done
            yield token, start
            done = end
        if done < len(text):
            yield text[done:], done


def _spaces_of(text: str) -> str:
    """The white space that occurs in a text, as Unicode defines it: str.rstrip() takes four separators too."""
    return "".join({character for character in text if _SPACE.fullmatch(character)})
