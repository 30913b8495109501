"""Words in figures: tokens that can be told apart, and texts that every reader of XML takes."""

from __future__ import annotations

import re

SPACE, NOTHING = "␣", "∅"
SIGN = re.compile(rf"^ +| +$| {{2,}}|[\\{SPACE}{NOTHING}]|[^ ]")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters, halves of surrogate pairs and two that are none: XML 1.0 lacks most of them, section 2.2."""


def visible(token: str) -> str:
    """A token as a label; no two tokens have the same.

    Spaces at an end or beside one another are ␣, no character at all is ∅, and what cannot be seen is written as in
    Python: \\n, \\t, \\xa0, \\u200b. So are \\, ␣ and ∅ themselves.
    """
    return SIGN.sub(_sign, token) or NOTHING


def _sign(found: re.Match[str]) -> str:
    signs = found.group()
    if signs[0] == " ":
        return SPACE * len(signs)
    if signs in (SPACE, NOTHING) or not signs.isprintable():
        return _escaped(signs)
    return "\\\\" if signs == "\\" else signs


def legal(text: str) -> str:
    """The text with what no XML may hold written as in Python, \\x00."""
    return FORBIDDEN.sub(lambda found: _escaped(found.group()), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
