"""Goals: what has to hold before a new version takes the place of an old one, written down before it is measured.

    goals = [Goal("right", "right answers", 0.9), Goal("spread", "most between two names", 0.2, lower=True)]
    released = decide(goals, {"right": Interval(0.95, 0.92, 0.97), "spread": Interval(0.4, 0.3, 0.5)})   # False

A goal is kept where the *worse* end of the interval keeps its bound: as long as nobody knows, chance is held against
the new version. And all have to be kept: much of one does not make up for little of another. Who wants that has to say
so before, as a goal of its own, for a mean of several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError
from tinygrad_llm.evaluate.bootstrap import Interval


@dataclass(frozen=True)
class Goal:
    """name   by which what was measured is found.
    label  for a table.
    bound  what has to be reached, or with `lower` what must not be exceeded.
    """

    name: str
    label: str
    bound: float
    lower: bool = False

    def kept(self, found: Interval) -> bool:
        """Whether the worse end of the interval keeps the bound.  Raises NonFiniteError for an end that is NaN."""
        worse = float(found.high if self.lower else found.low)
        if worse != worse:
            raise NonFiniteError(self.name, "an interval of two numbers", worse)
        return worse <= self.bound if self.lower else worse >= self.bound

    @property
    def told(self) -> str:
        """The bound, and to which side of it one has to stay."""
        return f"{'at most' if self.lower else 'at least'} {self.bound:g}"


def decide(goals: Sequence[Goal], found: Mapping[str, Interval]) -> bool:
    """Whether every goal is kept.  Raises ArgumentError for no goals, DataError for one that nobody measured."""
    if not goals:
        raise ArgumentError("goals", "at least one", "none")
    missing = [goal.name for goal in goals if goal.name not in found]
    if missing:
        raise DataError("found", f"a number for each of {len(goals)} goals", f"none for {', '.join(missing)}")
    return all(goal.kept(found[goal.name]) for goal in goals)
