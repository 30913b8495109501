"""Private data found by their form: telephone numbers, e-mail, postal addresses.

A form is all that a pattern sees. What is written in words ("five five five ...") passes, and an order number in the
form of a telephone number goes. C4 has no such step; RefinedWeb (Penedo et al., 2023) and others mask by patterns, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tinygrad_llm.errors import ArgumentError

PATTERNS: Mapping[str, re.Pattern[str]] = {
    # the part before the @ begins with a letter or digit; the host has a dot, and ends in letters
    "email": re.compile(r"[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"),
    # a country code if there is one; area, exchange and line of 3, 3 and 4 digits; no digits on either side
    "phone": re.compile(r"(?<![\w.-])(?:\+\d{1,2}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)"),
    # a house's number, a name or two, what a street is called; behind it a town, and its code, if they are there
    "address": re.compile(
        r"\b\d{1,5} (?:[A-Z][a-z]+ ){1,2}(?:Street|Lane|Road|Avenue|Square|Drive)\b(?:, [A-Z][a-z]+(?: \d{5})?\b)?"
    ),
}
Span = tuple[int, int, str]
"""Start, end and kind."""


def find_private(text: str, kinds: Iterable[str] = tuple(PATTERNS)) -> list[Span]:
    """(start, end, kind) of each datum, in the order of the text; where two overlap, the one that begins first.

    Raises ArgumentError for a kind that there is not.
    """
    found: list[Span] = []
    for kind in kinds:
        if kind not in PATTERNS:
            raise ArgumentError("kinds", " or ".join(PATTERNS), repr(kind))
        found += [(*match.span(), kind) for match in PATTERNS[kind].finditer(text)]
    kept: list[Span] = []
    for start, end, kind in sorted(found, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, kind))
    return kept


def scrub(text: str, kinds: Iterable[str] = tuple(PATTERNS)) -> str:
    """The text with [PHONE], [EMAIL] and [ADDRESS] in the places of what was found."""
    for start, end, kind in reversed(find_private(text, kinds)):
        text = f"{text[:start]}[{kind.upper()}]{text[end:]}"
    return text
