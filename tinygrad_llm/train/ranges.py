"""What each setting may be, in one table: a setting has the same name and the same range wherever it is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tinygrad_llm.datasets.text import NEWLINES
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.optim import SCHEDULES
from tinygrad_llm.tokenizer.special import SPECIAL
from tinygrad_llm.train.precision import PRECISIONS


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
MOST = 10**9
SIZE = 1 << 20

RANGES: dict[str, Range] = {
    # the model
    "n_layer": whole(1, 10_000),
    "n_head": whole(1, SIZE),
    "n_embd": whole(1, SIZE),
    "block_size": whole(1, SIZE),
    "vocab_size": whole(256, SIZE),
    "dropout": number(0, 1, "[)"),
    # the run
    "tokenizer": one_of(("char", "byte", "bpe", "gpt2")),
    "special": one_of(SPECIAL),
    "newlines": one_of(NEWLINES),
    "steps": whole(1, MOST),
    "batch_size": whole(1, SIZE),
    "accumulate": whole(1, SIZE),
    "lr": number(0, 1000, "(]"),
    "final_lr": number(0, 1000),
    "warmup": whole(0, MOST),
    "schedule": one_of(SCHEDULES),
    "beta1": number(0, 1, "[)"),
    "beta2": number(0, 1, "[)"),
    "weight_decay": number(0, 1000),
    "clip": number(0, 1e9),
    "eval_every": whole(1, MOST),
    "eval_batches": whole(0, MOST),
    "checkpoint_every": whole(1, MOST),
    "log_every": whole(1, MOST),
    "seed": whole(0, 2**63 - 1),
    "threads": whole(1, 4096, "auto"),
    "device": one_of(("cpu", "cuda", "auto")),
    "precision": one_of(PRECISIONS),
    "dtype": one_of(("float32", "float64")),
    # writing
    "tokens": whole(0, MOST),
    "temperature": number(0, 1e6, "(]"),
    "top_k": whole(1, MOST),
    "top_p": number(0, 1, "(]"),
    # the course
    "seeds": whole(1, 1000),
    "sample": whole(0, MOST),
}


def range_of(name: str, kind: type) -> Range | None:
    """The range of a setting of this type; text without an entry is free, a number without one has none."""
    found = RANGES.get(name)
    if found is not None and (found.kind is kind or (kind is str and found.words)):
        return found
    return TEXT if kind is str else None


def check_range(name: str, value: Any, allowed: Range, shown: str = "") -> None:
    """Raises ConfigError, under the name `shown` or the setting's own, for a value that is outside."""
    if value not in allowed:
        raise ConfigError(shown or name, allowed, repr(value))
