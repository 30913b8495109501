"""The parts of a tokenizer.json, each an object with its "type" and its options: read strictly.

What is not understood is refused by its name, with what is known: an option that is passed over would cut a text in
another way than the one that made the file, and nobody would see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import regex

from tinygrad_llm.errors import CheckpointError

Built = TypeVar("Built")
Builders = Mapping[str, Callable[[Any, str], Built]]
"""For each type of a part what makes it of its JSON and the part's name."""


def build(builders: Builders[Built], said: Any, where: str) -> Built:
    """The part that `said` describes.  Raises CheckpointError for a type that has no builder."""
    kind = said.get("type") if isinstance(said, dict) else said
    if not isinstance(kind, str) or kind not in builders:
        raise refused(f"{where}.type", " or ".join(builders), kind)
    return builders[kind](said, where)


def options(said: Mapping[str, Any], where: str, **known: Any) -> dict[str, Any]:
    """The options of a part, each with the value that holds where it is not said.

    The kind of that value is the kind that an option must have; a kind itself stands for an option that must be there,
    `object` for one that is read elsewhere. A tuple lists all values that are understood, the first of which holds
    where nothing is said. Raises CheckpointError for others, and for an option that is not known.
    """
    unknown = [name for name in said if name not in known and name != "type"]
    if unknown:
        raise refused(f"{where}.{unknown[0]}", f"none but {', '.join(['type', *known])}", said[unknown[0]])
    found = {}
    for name, default in known.items():
        kind = default if isinstance(default, type) else type(default)
        if kind is tuple:
            value = said.get(name, default[0])
            if not any(type(value) is type(accepted) and value == accepted for accepted in default):
                raise refused(f"{where}.{name}", " or ".join(map(repr, default)), value)
        else:
            value = said.get(name, None if default is kind else default)
            if kind is not object and type(value) is not kind:
                raise refused(f"{where}.{name}", f"a {kind.__name__}", value)
        found[name] = value
    return found


def refused(name: str, expected: object, got: object) -> CheckpointError:
    """The error that names a field of a tokenizer.json."""
    return CheckpointError(name, expected, repr(got)[:90], "Nothing else of this part is understood here.")


_ONIGURUMA = regex.compile(r"&&|\\[hHRKGXONyYkgwWbB]|\[:|\(\?[~>#(&P{*|+0-9-]|\\p\{\^|\(\?<[^=!]|\(\*")
"""What Oniguruma, in which these patterns are written, and `regex` do not both know, or take for two things: to one of
them ² is a letter of a word."""
_CLASSES_ALONE = regex.compile(r"(?s:\\.|[^\\\[]|\[\^?\]?(?:\\.|[^\]\\\[])*\])*+")
"""A pattern without a class inside of a class, which `regex` would read as the character [."""


def pattern_of(said: Any, where: str) -> regex.Pattern[str]:
    """{"String": text} or {"Regex": pattern}, compiled.  Raises CheckpointError for what cannot be compiled, or would
    mean something else here than in the library that wrote it."""
    if isinstance(said, dict) and len(said) == 1:
        (kind, text), *_ = said.items()
        if kind == "String" and isinstance(text, str) and text:
            return regex.compile(regex.escape(text, special_only=True))
        if kind == "Regex" and isinstance(text, str) and _alike(text):
            try:
                compiled = regex.compile(text)
            except regex.error as error:
                raise refused(where, "a regular expression", f"{text[:60]} ({error})") from error
            if not compiled.fullmatch(""):
                return compiled
    wanted = '{"String": text} or {"Regex": an expression that every engine reads alike, and that matches something}'
    raise refused(where, wanted, said)


def _alike(pattern: str) -> bool:
    return _CLASSES_ALONE.fullmatch(pattern) is not None and _ONIGURUMA.search(pattern) is None
