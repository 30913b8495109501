"""`sums`: the last digit of a sum, with the steps written out, and as pupils with other habits answer it.

    # 7 3 9 5 _ _ _ _ _ _ _ _ ? 7 0 9 4 = 4 .

A question has twelve slots, the first ones with a digit each, the rest blank. Behind the "?" stands the thought: the
last digit of the total so far, one token a number, so that total and number always stand equally far apart. Behind the
"=" stands the answer. So a step needs one number, the total before it, and a table of 100 entries; the answer alone
needs all numbers at once. (Nye et al., "Show Your Work", 2021, call it a scratchpad.)

`worked` writes what a pupil of a habit hands in:

    careful   7 0 9 4 = 4 .   all totals
    hasty     7 0 = 0 .       two totals, and then the answer, as if that were all
    guess     = 0 .           the same answer, and no total
    at once   = 4 .           the right answer, and no total
    padded    ~ ~ ~ ~ = 4 .   the right answer after as many tokens as careful, which say nothing

The order of the numbers does not matter to a sum, so whoever has seen the same digits in another order could look the
answer up: the splits hold out digits in any order, from three numbers on. Sums of one and two numbers are the table,
and in both.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.ranges import check_whole

SLOTS = 12
WORDS = ("#", "?", "=", ".", "~", "_", *"0123456789")
BEGIN, ASKS, EQUALS, STOP, MUSING, BLANK, ZERO = range(7)
HABITS = ("careful", "hasty", "guess", "at once", "padded")
HASTY_STEPS = 2
"""How many numbers a hasty pupil adds."""
SPLITS = ("train", "test")
ONE_IN = 5
"""One in so many sets of digits is the test's."""


@dataclass(frozen=True)
class Sum:
    """The numbers, each 0 to 9, in their order."""

    digits: tuple[int, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """The last digit of the total after each number."""
        return tuple(int(total) for total in np.cumsum(self.digits) % 10)

    @property
    def answer(self) -> int:
        """The last of the totals."""
        return self.totals[-1]

    @property
    def prompt(self) -> list[int]:
        """The question, ids of WORDS; as long for every sum."""
        blanks = [BLANK] * (SLOTS - len(self.digits))
        return [BEGIN, *(ZERO + digit for digit in self.digits), *blanks, ASKS]


def generate_sums(rng: np.random.Generator, count: int, shortest: int, longest: int, split: str = "train") -> list[Sum]:
    """So many sums of `shortest` to `longest` numbers, all lengths and digits alike, of one split.

    Raises ArgumentError for another split, and for lengths outside 1 to SLOTS - 1, one slot being left blank.
    """
    check_whole(shortest=shortest, longest=longest)
    if split not in SPLITS:
        raise ArgumentError("split", " or ".join(SPLITS), repr(split))
    if not shortest <= longest < SLOTS:
        expected = f"shortest <= longest <= {SLOTS - 1}"
        raise ArgumentError("shortest, longest", expected, f"{shortest}, {longest}")
    sums: list[Sum] = []
    while len(sums) < count:
        lengths = rng.integers(shortest, longest + 1, count)
        drawn = rng.integers(0, 10, (count, longest))
        for length, row in zip(lengths, drawn):
            digits = tuple(row[:length].tolist())
            if length <= HASTY_STEPS or held_out(digits) == (split == "test"):
                sums.append(Sum(digits))
    return sums[:count]


def held_out(digits: Sequence[int]) -> bool:
    """Whether these digits, in any order, are the test's."""
    return zlib.crc32(bytes(sorted(digits))) % ONE_IN == 0


def worked(sum_: Sum, habit: str = "careful", musing: int = 0) -> list[int]:
    """What a pupil of that habit writes behind the question, ids of WORDS.

    musing  how many tokens that say nothing stand before the "=", behind the thought.

    Raises ArgumentError for another habit.
    """
    check_whole(0, musing=musing)
    if habit not in HABITS:
        raise ArgumentError("habit", ", ".join(HABITS), repr(habit))
    totals = sum_.totals[:HASTY_STEPS] if habit in ("hasty", "guess") else sum_.totals
    if habit == "padded":
        thought = [MUSING] * len(totals)
    else:
        thought = [ZERO + total for total in totals] if habit in ("careful", "hasty") else []
    return [*thought, *[MUSING] * musing, EQUALS, ZERO + totals[-1], STOP]


def said(written: Sequence[int]) -> int | None:
    """The answer that was written: the digit behind the first "="; None where there is none."""
    written = list(written)
    place = written.index(EQUALS) + 1 if EQUALS in written else len(written)
    return written[place] - ZERO if place < len(written) and written[place] >= ZERO else None


def thought(written: Sequence[int]) -> list[int]:
    """What stands before the first "=", all where there is none."""
    written = list(written)
    return written[: written.index(EQUALS)] if EQUALS in written else written


def is_right(sum_: Sum, written: Sequence[int]) -> bool:
    """The verifier: whether the answer is right. How it was found is not looked at."""
    return said(written) == sum_.answer


def steps_right(sum_: Sum, written: Sequence[int]) -> bool:
    """Whether the answer and every total are right, and none is missing."""
    return is_right(sum_, written) and thought(written) == [ZERO + total for total in sum_.totals]


def has_form(written: Sequence[int]) -> bool:
    """Whether it looks like a worked answer: at least one total, nothing else before "=", and a digit behind it."""
    before = thought(written)
    return bool(before) and all(token >= ZERO for token in before) and said(written) is not None


def as_text(ids: Sequence[int]) -> str:
    """Ids in words."""
    return " ".join(WORDS[token] for token in ids)
