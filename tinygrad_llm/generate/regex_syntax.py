"""What a regular expression here may be: a small part of Python's `re`, without what no finite automaton can do.

    a        itself                       a|b  one or the other        a*  any number of times
    .        any character but a line end (a)  as one, (?:a) as well   a+  at least once, a? at most once
    [a-z]    one of these, [^a-z] none    \\d \\w \\s  ASCII digits,     a{2} a{2,} a{,3} a{2,3}  so many times
    \\. \\n \\t \\x41 \\u00e9               letters, white space; \\D \\W \\S all others

It describes whole texts, as `re.fullmatch(pattern, text, re.ASCII)` does; so anchors are not needed, nor there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from tinygrad_llm.errors import ArgumentError

Ranges = tuple[tuple[int, int], ...]
"""Code points from the first to the last of each pair, in their order."""
LAST = 0x10FFFF
MOST_TIMES = 1000
DIGITS, SPACES = ((48, 57),), ((9, 13), (32, 32))
WORDS = ((48, 57), (65, 90), (95, 95), (97, 122))
CLASSES = {"d": DIGITS, "w": WORDS, "s": SPACES}
SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Chars:
    """One character of these."""

    ranges: Ranges


@dataclass(frozen=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """The part `least` to `most` times; any number from `least` on where `most` is None."""

    part: Node
    least: int
    most: int | None


Node = Chars | Sequence | Choice | Repeat


def parse(pattern: str) -> Node:
    """The tree of an expression.  Raises ArgumentError that says at which character it is none."""
    parser = _Parser(pattern)
    node = parser.choice()
    if parser.place < len(pattern):
        parser.refuse("an opening bracket before this one")
    return node


class _Parser:
    """Reads one expression from the left; each method reads one kind of part."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.place = pattern, 0

    def refuse(self, expected: str) -> NoReturn:
        """Raises ArgumentError for what stands here."""
        rest = self.pattern[self.place : self.place + 12]
        got = f"{rest!r} at character {self.place} of {self.pattern!r}" if rest else f"the end of {self.pattern!r}"
        raise ArgumentError("regex", expected, got)

    def peek(self) -> str:
        """The next character, or nothing at the end."""
        return self.pattern[self.place : self.place + 1]

    def take(self, text: str) -> bool:
        """Whether `text` comes next; then it is read."""
        found = self.pattern.startswith(text, self.place)
        self.place += len(text) if found else 0
        return found

    def choice(self) -> Node:
        """Sequences with | between them."""
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Node:
        """Parts, each perhaps repeated, up to | or ) or the end."""
        parts = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.repeated())
        return Sequence(tuple(parts))

    def repeated(self) -> Node:
        """A part and how often it comes."""
        part = self.atom()
        sign = self.peek()
        if sign in SIGNS:
            (least, most), self.place = SIGNS[sign], self.place + 1
        elif sign == "{":
            least, most = self.times()
        else:
            return part
        if self.peek() and self.peek() in "*+?{":
            self.refuse("one sign of repetition (of a whole text, lazy and greedy ones mean the same)")
        return Repeat(part, least, most)

    def times(self) -> tuple[int, int | None]:
        """{2}, {2,}, {,3}, {2,3}."""
        found = re.compile(r"\{(\d*)(,?)(\d*)\}", re.ASCII).match(self.pattern, self.place)
        if found is None or not (found[1] or found[3]):
            self.refuse("times such as {2}, {2,} or {2,3}, or \\{ for the character")
        least = int(found[1] or 0)
        most = (int(found[3]) if found[3] else None) if found[2] else least
        if max(least, most or 0) > MOST_TIMES or (most is not None and most < least):
            self.refuse(f"times that rise, to {MOST_TIMES} at most")
        self.place = found.end()
        return least, most

    def atom(self) -> Node:
        """One character, one of a class, or a bracket."""
        sign = self.peek()
        if sign in "*+?{":
            self.refuse("something before it that is repeated, or a backslash")
        if sign in "^$":
            self.refuse("no anchor (the whole text is matched anyway), or a backslash before it")
        if self.take("("):
            if self.peek() == "?" and not self.take("?:"):
                self.refuse("(?: or a plain bracket: nothing that looks ahead, back, or by name")
            node = self.choice()
            if not self.take(")"):
                self.refuse("a closing bracket")
            return node
        if self.take("["):
            return Chars(self.char_class())
        if self.take("."):
            return Chars(_others(((10, 10),)))
        return Chars(self.single())

    def single(self) -> Ranges:
        """A character, or an escape."""
        if not self.take("\\"):
            code = ord(self.peek() or self.refuse("a character"))
            self.place += 1
            return ((code, code),)
        sign = self.peek()
        self.place += 1
        if sign.lower() in CLASSES and sign:
            ranges = CLASSES[sign.lower()]
            return _others(ranges) if sign.isupper() else ranges
        if sign in ("x", "u"):
            digits = self.pattern[self.place : self.place + (2 if sign == "x" else 4)]
            if not re.fullmatch(r"[0-9a-fA-F]{2}|[0-9a-fA-F]{4}", digits) or len(digits) != (2 if sign == "x" else 4):
                self.refuse("two hexadecimal digits after \\x, four after \\u")
            self.place += len(digits)
            code = int(digits, 16)
        elif sign in CONTROLS:
            code = ord(CONTROLS[sign])
        elif not sign or sign.isalnum() or sign == "_":
            self.place -= 1
            self.refuse("an escape of a sign, \\d \\w \\s \\D \\W \\S \\n \\t \\r \\f \\v, \\x41 or \\u00e9")
        else:
            code = ord(sign)
        return ((code, code),)

    def char_class(self) -> Ranges:
        """What stands between [ and ]; a ] that comes first is meant as itself."""
        others = self.take("^")
        ranges: list[tuple[int, int]] = []
        while self.peek() != "]" or not ranges:
            if not self.peek():
                self.refuse("a closing ]")
            first = self.single()
            if self.peek() == "-" and self.pattern[self.place + 1 : self.place + 2] not in ("]", ""):
                self.place += 1
                last = self.single()
                if len(first) > 1 or len(last) > 1 or last[0][1] < first[0][0] or first[0][0] != first[0][1]:
                    self.refuse("a range of single characters that rises, before this")
                first = ((first[0][0], last[0][1]),)
            ranges += first
        self.place += 1
        return _others(tuple(ranges)) if others else _sorted(tuple(ranges))


def _sorted(ranges: Ranges) -> Ranges:
    """The same characters as ranges that rise and do not touch."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


def _others(ranges: Ranges) -> Ranges:
    """All characters but these."""
    borders = [-1, *(border for pair in _sorted(ranges) for border in pair), LAST + 1]
    gaps = zip(borders[::2], borders[1::2])
    return tuple((low + 1, high - 1) for low, high in gaps if low + 1 < high)
