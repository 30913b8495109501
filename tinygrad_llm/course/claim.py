"""A chapter's claim: its parts, each a measured figure with the bound that it must keep, and the verdict over them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_llm.course.table import DIGITS, cell, table
from tinygrad_llm.errors import ArgumentError

MOST_DIGITS = 17
BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "at_least": ("≥", operator.ge),
    "at_most": ("≤", operator.le),
    "equals": ("=", operator.eq),
    "above": (">", operator.gt),
    "below": ("<", operator.lt),
}
ASCII = {"≥": ">=", "≤": "<=", "✓": "yes", "✗": "NO", "–": "-", "…": "to"}
"""What stands for a sign on a terminal whose encoding lacks it."""


@dataclass(frozen=True)
class Part:
    """One part of a claim: every number of `value` keeps every bound.

    value     a number, one number a seed, or numbers by name.
    bounds    by name of BOUNDS: a number, or one for each number of `value`, by the same names where it has names.
    baseline  what a weaker method reaches: a number, several, or numbers by name. Shown, not judged.
    tested    False where this run is too small for the part: then it has no verdict, and `value` may be None.
    """

    name: str
    value: Any
    bounds: dict[str, Any]
    baseline: Any = None
    tested: bool = True

    def __post_init__(self) -> None:
        if not self.bounds:
            raise ArgumentError(self.name, f"a bound: {', '.join(BOUNDS)}", "none", "A figure alone: run.report.")
        for baseline in self.baseline.values() if isinstance(self.baseline, Mapping) else [self.baseline]:
            numbers(f"{self.name}, baseline", 0 if self.baseline is None else baseline)
        for kind in () if self._absent else self.bounds:
            self._bound_of_each(kind)

    @property
    def holds(self) -> bool | None:
        """Whether every number keeps every bound, which NaN never does; None where it was not tested."""
        return all(map(self._keeps, self.bounds)) if self.tested else None

    @property
    def _absent(self) -> bool:
        return self.value is None and not self.tested

    @property
    def digits(self) -> int:
        """As many as it takes to see the verdict: 0.8996 is not shown as the 0.9 that it misses."""
        if self._absent or not self.tested:
            return DIGITS
        for digits in range(DIGITS, MOST_DIGITS):
            if all(self._keeps(kind, digits) for kind in self.bounds) is self.holds:
                return digits
        return MOST_DIGITS

    def _keeps(self, kind: str, digits: int | None = None) -> bool:
        """digits  None, or for the numbers as they are shown with so many."""
        values, bounds = (
            [float(cell(v, digits)) if digits and isinstance(v, float | np.floating) else v for v in found]
            for found in (numbers(self.name, self.value), self._bound_of_each(kind))
        )
        pairs = zip(values, bounds)
        return all(bool(BOUNDS[kind][1](value, bound)) for value, bound in pairs)

    def _bound_of_each(self, kind: str) -> list[float]:
        """In the order of `value`.  Raises ArgumentError where the two do not belong together."""
        value, bound = self.value, self.bounds[kind]
        count, bounds = len(numbers(self.name, value)), numbers(self.name, bound)
        if isinstance(bound, Mapping) or (isinstance(value, Mapping) and len(bounds) > 1):
            names, given = (list(each) if isinstance(each, Mapping) else "none" for each in (value, bound))
            if not (isinstance(value, Mapping) and isinstance(bound, Mapping) and value.keys() == bound.keys()):
                raise ArgumentError(self.name, f"bounds of the value's names, {names}", given)
            return [bound[name] for name in value]
        if len(bounds) not in (1, count):
            raise ArgumentError(self.name, f"one bound, or {count}", f"{len(bounds)} bounds")
        return bounds * count if len(bounds) == 1 else bounds

    def row(self) -> list[str]:
        """Its line of the table."""
        digits = self.digits
        bounds = self.bounds.items()
        threshold = " and ".join(f"{BOUNDS[kind][0]} {format_bound(bound, digits)}" for kind, bound in bounds)
        verdict = {True: "✓", False: "✗", None: "–"}[self.holds]
        return [
            self.name,
            threshold,
            "" if self._absent else format_range(self.value, digits),
            "" if self.baseline is None else format_bound(self.baseline, digits),
            verdict,
        ]


@dataclass
class Claim:
    """The parts of a claim, and figures that are reported without being judged."""

    parts: list[Part] = field(default_factory=list)
    reported: dict[str, Any] = field(default_factory=dict)

    def add(self, part: Part) -> None:
        """Another part, with a name of its own."""
        self._new(part.name)
        self.parts.append(part)

    def report(self, name: str, value: Any) -> None:
        """Another figure, with a name of its own."""
        self._new(name)
        self.reported[name] = value

    def _new(self, name: str) -> None:
        if name in self.measured:
            raise ArgumentError("name", "a new one", f"{name!r} again", "Each part and figure has its own.")

    @property
    def measured(self) -> dict[str, Any]:
        """All figures by name."""
        return {part.name: part.value for part in self.parts} | self.reported

    @property
    def failed(self) -> list[str]:
        """The names of the parts that were tested and do not hold."""
        return [part.name for part in self.parts if part.holds is False]

    @property
    def not_tested(self) -> list[str]:
        """The names of the parts that this run left untested."""
        return [part.name for part in self.parts if part.holds is None]

    @property
    def holds(self) -> bool | None:
        """False where a tested part fails, else None where a part was not tested, else True."""
        if not self.parts:
            raise ArgumentError("the claim", "at least one part", "none", "Add them with run.check.")
        return False if self.failed else None if self.not_tested else True

    def verdict(self) -> dict[str, Any]:
        """For programs: `measured` and `holds`, and the names under `failed` and `not_tested` where there are any."""
        names = {"failed": self.failed, "not_tested": self.not_tested}
        found = {kind: which for kind, which in names.items() if which}
        return {"measured": to_json(self.measured), "holds": self.holds, **found}

    def table(self, encoding: str = "utf-8") -> str:
        """The parts, then the reported figures, unless by name, in signs of `encoding`."""
        figures = [[name, "", format_range(value), "", ""] for name, value in self.reported.items() if _fits(value)]
        rows = [*(part.row() for part in self.parts), *figures]
        rows = [[ascii_fallback(text, encoding) for text in row] for row in rows]
        return table(rows, ["part", "threshold", "measured", "baseline", "holds"])

    def sentence(self) -> str:
        """The verdict for people."""
        count = f"{len(self.parts)} part{'s' if len(self.parts) != 1 else ''}"
        if self.failed:
            return f"The claim does NOT hold: of {count} {len(self.failed)} failed: {'; '.join(self.failed)}."
        if self.not_tested:
            held = len(self.parts) - len(self.not_tested)
            return f"Of {count} {held} held; the other {len(self.not_tested)}, marked –, only a full run can test."
        return f"The claim holds in all of its {count}."


def numbers(name: str, value: Any) -> list[float]:
    """A number, a sequence or the values of a mapping as a list.  Raises ArgumentError for none and for others."""
    values = _flat(value)
    if not values or not all(map(_is_number, values)):
        raise ArgumentError(name, "a number, or several", repr(value)[:60])
    return values


def format_range(value: Any, digits: int = DIGITS) -> str:
    """The number, or the smallest and the largest of several."""
    values = sorted(_flat(value), key=lambda v: (math.isnan(v), v))
    low, high = cell(values[0], digits), cell(values[-1], digits)
    return low if low == high else f"{low} … {high}"


def format_bound(value: Any, digits: int = DIGITS) -> str:
    """A baseline or a bound: its range, or that of each name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {format_range(v, digits)}" for name, v in value.items())
    return format_range(value, digits)


def ascii_fallback(text: str, encoding: str) -> str:
    """The text with the signs that `encoding` lacks written out."""
    return "".join(ASCII[sign] if sign in ASCII and not encodable(sign, encoding) else sign for sign in text)


def encodable(text: str, encoding: str) -> bool:
    """Whether a terminal of this encoding has all the characters."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def to_json(value: Any) -> Any:
    """Fit for JSON: floats to six digits, and those that JSON does not have as words."""
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [to_json(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    return value


def _flat(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) else [value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)


def _fits(value: Any) -> bool:
    """Whether a figure is a number or a few of one kind, which a line of the table can show."""
    return not isinstance(value, Mapping) and bool(_flat(value)) and all(map(_is_number, _flat(value)))
