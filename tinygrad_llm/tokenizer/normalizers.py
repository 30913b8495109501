"""What is done to a text before it is cut, as tokenizer.json names it: a function from text to text.

    NFC NFD NFKC NFKD   Unicode's normal forms
    Lowercase           each character by itself
    StripAccents        combining marks are taken out (after NFD or NFKD, which part them from their letters)
    Strip               white space at both ends
    Prepend, Replace    SentencePiece writes ▁ for a space, and one before the text

    Precompiled         SentencePiece's own table of characters, see `charsmap`

Not here: Nmt, and BertNormalizer, which is part of `wordpiece`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal

import regex

from tinygrad_llm.tokenizer.charsmap import charsmap_of
from tinygrad_llm.tokenizer.json_parts import Builders, build, options, pattern_of

Normalizer = Callable[[str], str]
_MARK = regex.compile(r"\p{M}+")
_LEFT, _RIGHT = regex.compile(r"\A\p{White_Space}+"), regex.compile(r"\p{White_Space}+\Z")


def normalizer_of(said: Mapping[str, Any] | None, where: str = "normalizer") -> Normalizer:
    """The function; null changes nothing."""
    return str if said is None else build(NORMALIZERS, said, where)


def lowered(text: str) -> str:
    """Each character's lower case, whatever stands beside it: Σ is σ at a word's end too."""
    return text.lower() if text.isascii() else "".join([character.lower() for character in text])


def _form(name: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> Callable[[Any, str], Normalizer]:
    def made(said: Any, where: str) -> Normalizer:
        options(said, where)
        return lambda text: unicodedata.normalize(name, text)

    return made


def _lowercase(said: Any, where: str) -> Normalizer:
    options(said, where)
    return lowered


def _strip_accents(said: Any, where: str) -> Normalizer:
    options(said, where)
    return lambda text: _MARK.sub("", text)


def _strip(said: Any, where: str) -> Normalizer:
    sides = options(said, where, strip_left=True, strip_right=True)

    def strip(text: str) -> str:
        text = _LEFT.sub("", text) if sides["strip_left"] else text
        return _RIGHT.sub("", text) if sides["strip_right"] else text

    return strip


def _prepend(said: Any, where: str) -> Normalizer:
    first = options(said, where, prepend=str)["prepend"]
    return lambda text: first + text if text else text


def _replace(said: Any, where: str) -> Normalizer:
    found = options(said, where, pattern=dict, content=str)
    pattern, content = pattern_of(found["pattern"], f"{where}.pattern"), found["content"]
    return lambda text: pattern.sub(lambda _: content, text)


def _sequence(said: Any, where: str) -> Normalizer:
    parts = options(said, where, normalizers=list)["normalizers"]
    steps = [build(NORMALIZERS, part, f"{where}.normalizers[{i}]") for i, part in enumerate(parts)]

    def each(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return each


NORMALIZERS: Builders[Normalizer] = {
    "Sequence": _sequence, "Prepend": _prepend, "Replace": _replace, "Strip": _strip, "Lowercase": _lowercase,
    "StripAccents": _strip_accents, "Precompiled": charsmap_of, "NFC": _form("NFC"), "NFD": _form("NFD"),
    "NFKC": _form("NFKC"), "NFKD": _form("NFKD"),
}  # fmt: skip
