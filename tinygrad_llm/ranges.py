"""Ranges: what a setting may be, how it is read from a text, and how it is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from tinygrad_llm.errors import ArgumentError, ConfigError


@dataclass(frozen=True)
class Range:
    """Numbers of `kind` from `low` to `high`, or one of `words`.

    ends  "[" or "(" and "]" or ")": whether the bounds themselves belong to it.
    """

    kind: type = str
    low: float = -math.inf
    high: float = math.inf
    ends: str = "[]"
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = " or ".join(self.words)
        if self.kind is str:
            return words or "text"
        numbers = "a whole number" if self.kind is int else "a number"
        if self.high == math.inf:
            numbers += f" of at least {_plain(self.low)}"
        elif self.ends == "[]":
            numbers += f" from {_plain(self.low)} to {_plain(self.high)}"
        else:
            numbers += f" in {self.ends[0]}{_plain(self.low)}, {_plain(self.high)}{self.ends[1]}"
        return f"{words} or {numbers}" if words else numbers

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, str) and (self.words or self.kind is str):
            return not self.words or value in self.words or (self.kind is not str and self._has_text(value))
        if isinstance(value, bool) or not isinstance(value, int if self.kind is int else int | float):
            return False
        above = value > self.low if self.ends[0] == "(" else value >= self.low
        below = value < self.high if self.ends[1] == ")" else value <= self.high
        return self.kind is not str and above and below and math.isfinite(value)

    def _has_text(self, text: str) -> bool:
        try:
            return self.read(text) in self
        except ValueError:
            return False

    def read(self, text: str) -> Any:
        """The value that `text` spells; whole numbers may be written 1e3 or 1_000.  Raises ValueError."""
        if self.kind is str or text in self.words:
            return text
        if self.kind is float:
            return float(text)
        number = float(text) if "e" in text.lower() else int(text)
        if not math.isfinite(number) or number != int(number):
            raise ValueError(text)
        return int(number)


def _plain(bound: float) -> str:
    return f"{bound:,.0f}".replace(",", "_") if abs(bound) >= 1000 else f"{bound:g}"


def whole(low: int, high: int, *words: str) -> Range:
    """Whole numbers from `low` to `high`, or one of `words`."""
    return Range(int, low, high, words=words)


def number(low: float, high: float, ends: str = "[]") -> Range:
    """Numbers between the two, which belong to it as `ends` says."""
    return Range(float, low, high, ends)


def one_of(words: Iterable[str]) -> Range:
    """One of these words."""
    return Range(words=tuple(words))


TEXT = Range()
"""A path, a name, a prompt: what it may be shows where it is used."""
SEEDS = whole(1, 1000)
"""How many seeds a chapter may be asked to run over."""


def check_range(name: str, value: Any, allowed: Range, shown: str = "") -> None:
    """Raises ConfigError, under the name `shown` or the setting's own, for a value that is outside."""
    if value not in allowed:
        raise ConfigError(shown or name, allowed, repr(value))


def check_whole(least: int = 1, next_step: str = "", **values: Any) -> None:
    """Raises ArgumentError for a value that is not a whole number, Python's or NumPy's, of at least `least`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
            raise ArgumentError(name, f"a whole number of at least {least}", repr(value), next_step)
