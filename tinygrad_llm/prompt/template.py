"""Prompts from a template: a text with named parts, which says what is missing, unknown, or too long.

    parts = Part("examples", cut="start"), Part("text", cut="end")
    template = PromptTemplate("{task}\\n\\n{examples}\\n\\nText: {text}\\nLabel:", parts)
    filled = template.fit({"task": …, "examples": [one, two, three], "text": …}, tokenizer, room=500)

A part stands as {name}; a brace that is meant as one is written twice, {{. What a part says is never read as a template
itself. Where the whole is too long, the parts that may be cut are, in the order in which they are listed: a list loses
whole items, a text loses words, each at the end that `cut` names, until the rest has room.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.ranges import check_whole
from tinygrad_llm.tokenizer.base import Tokenizer

CUTS = ("no", "start", "end")
Value = str | Sequence[str]
"""What a part says: a text, or several, which stand one after the other."""


@dataclass(frozen=True)
class Part:
    """name       as it stands in the template.
    cut        what it may lose where the prompt is too long: "no", nothing; "start", its first words or items; "end",
               its last ones.
    separator  stands between the items of a list.
    default    what it says where nothing is given; None: something must be.
    """

    name: str
    cut: str = "no"
    separator: str = "\n\n"
    default: str | None = None

    def __post_init__(self) -> None:
        if self.cut not in CUTS:
            raise ArgumentError("cut", " or ".join(CUTS), repr(self.cut))


@dataclass(frozen=True)
class Filled:
    """text    the prompt.
    tokens  how many it has.
    lost    of each part that was cut, how many words or items: 0 where it was white space alone.
    """

    text: str
    tokens: int
    lost: Mapping[str, int]


@dataclass(frozen=True)
class PromptTemplate:
    """text   with a {name} for each part.
    parts  what is to be known of some of them; the others must be given and are never cut.

    Raises ArgumentError for a text that is no template, DataError for a part that it does not have.
    """

    text: str
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _ = self._pieces  # which refuses what is no template
        names = [part.name for part in self.parts]
        if unknown := [name for name in names if name not in self.names]:
            raise DataError("parts", f"names that stand in the template: {_quoted(self.names)}", _quoted(unknown))
        if twice := {name for name in names if names.count(name) > 1}:
            raise DataError("parts", "each part once", _quoted(sorted(twice)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of all parts, each once, as they stand in the text."""
        return tuple(dict.fromkeys(name for _, name in self._pieces if name is not None))

    def missing(self, values: Mapping[str, Value]) -> list[str]:
        """Parts that must be given, and are not."""
        known = {part.name for part in self.parts if part.default is not None}
        return [name for name in self.names if name not in values and name not in known]

    def unknown(self, values: Mapping[str, Value]) -> list[str]:
        """What is given, and stands nowhere in the template."""
        return [name for name in values if name not in self.names]

    def fill(self, values: Mapping[str, Value]) -> str:
        """The prompt.  Raises DataError for parts that are missing or unknown, and for what is no text."""
        return self._joined(self._checked(values))

    def fit(self, values: Mapping[str, Value], tokenizer: Tokenizer, room: int) -> Filled:
        """The prompt in at most `room` tokens, as much of its parts as possible, those cut first that are listed first.

        Raises DataError as `fill`, and where it is too long with all cut that may be; TokenError for what the
        tokenizer cannot write.
        """
        check_whole(room=room)
        given = self._checked(values)
        lost: dict[str, int] = {}

        def count(name: str = "", kept: Value = "") -> int:
            return len(tokenizer.encode(self._joined(given | ({name: kept} if name else {}))))

        for part in self.parts:
            if part.cut == "no" or not given[part.name] or count() <= room:
                continue
            items = _items(given[part.name])
            low, high = 0, len(items)  # of these numbers of items, the largest that fits; with 0 it may still not
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (
                    (middle, high) if count(part.name, _kept(given[part.name], middle, part.cut)) <= room
                    else (low, middle - 1)
                )  # fmt: skip
            gone = items[: len(items) - low] if part.cut == "start" else items[low:]
            is_text = isinstance(given[part.name], str)
            given[part.name] = _kept(given[part.name], low, part.cut)
            lost[part.name] = sum(not item.isspace() for item in gone) if is_text else len(gone)
        tokens = count()
        if tokens > room:
            got = f"{tokens} with all cut that may be: {_quoted([*lost]) or 'nothing'}"
            raise DataError("prompt", f"at most {room} tokens", got, self._advice(given, tokenizer))
        return Filled(self._joined(given), tokens, lost)

    @cached_property
    def _pieces(self) -> list[tuple[str, str | None]]:
        """Texts, each with the name of the part behind it."""
        try:
            found = [*string.Formatter().parse(self.text)]
        except ValueError as error:
            hint = "A brace that is meant as one is written twice: {{ and }}."
            raise ArgumentError("template", "a text with {name} for each part", str(error), hint) from None
        for _, name, form, conversion in found:
            if name is not None and (not name.isidentifier() or form or conversion):
                hint = "A brace that is meant as one is written twice: {{ and }}."
                raise ArgumentError("template", "names alone between braces", repr(name + (form or "")), hint)
        return [(text, name) for text, name, _, _ in found]

    def _checked(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """What all parts say.  Raises DataError."""
        if missing := self.missing(values):
            raise DataError("prompt", f"all of {_quoted(self.names)}", f"none of {_quoted(missing)}")
        if unknown := self.unknown(values):
            raise DataError("prompt", f"parts of the template: {_quoted(self.names)}", _quoted(unknown))
        for name, value in values.items():
            items = [value] if isinstance(value, str) else value
            if isinstance(items, Mapping | bytes) or not isinstance(items, Sequence):
                raise DataError(name, "a text, or a list of texts", f"a {type(value).__name__}")
            if not all(isinstance(item, str) for item in items):
                raise DataError(name, "a text, or a list of texts", "a list of something else")
        return {part.name: part.default for part in self.parts if part.default is not None} | dict(values)

    def _joined(self, given: Mapping[str, Value]) -> str:
        separators = {part.name: part.separator for part in self.parts}
        return "".join(text + self._said(given, name, separators) for text, name in self._pieces)

    def _said(self, given: Mapping[str, Value], name: str | None, separators: Mapping[str, str]) -> str:
        if name is None:
            return ""
        value = given[name]
        return value if isinstance(value, str) else separators.get(name, "\n\n").join(value)

    def _advice(self, given: Mapping[str, Value], tokenizer: Tokenizer) -> str:
        """Which parts are how long."""
        empty = dict.fromkeys(self.names, "")
        alone = len(tokenizer.encode(self._joined(empty)))
        sizes = {name: len(tokenizer.encode(self._joined(empty | {name: given[name]}))) - alone for name in self.names}
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        return f"The template takes {alone}, its parts {told}." if sizes else f"The template takes {alone}."


def _items(value: Value) -> list[str]:
    """What is cut one at a time: a list's items, or a text's words, each with the white space before it, and that
    behind the last.
    """
    if not isinstance(value, str):
        return list(value)
    return re.findall(r"\s*\S+|\s+", value)


def _kept(value: Value, count: int, cut: str) -> Value:
    """So many items, of the end that is not cut; all of them are the value as it was."""
    items = _items(value)
    if count == len(items):
        return value
    kept = items[len(items) - count :] if cut == "start" else items[:count]
    if not isinstance(value, str):
        return kept
    text = "".join(kept)
    return text.lstrip() if cut == "start" else text


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(names)
