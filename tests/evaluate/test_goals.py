"""Goals are kept at the worse end of an interval, and all of them have to be."""

from __future__ import annotations

import pytest

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError
from tinygrad_llm.evaluate import Goal, Interval, decide

RIGHT, SPREAD = Goal("right", "right answers", 0.8), Goal("spread", "most between two", 0.2, lower=True)


def test_the_worse_end_has_to_keep_the_bound():
    assert RIGHT.kept(Interval(0.9, 0.8, 0.95)) and not RIGHT.kept(Interval(0.9, 0.79, 0.95))
    assert SPREAD.kept(Interval(0.1, 0.0, 0.2)) and not SPREAD.kept(Interval(0.1, 0.0, 0.21))


def test_all_have_to_be_kept():
    good, bad = Interval(0.9, 0.85, 0.95), Interval(0.5, 0.4, 0.6)
    none, much = Interval(0.05, 0, 0.1), Interval(0.5, 0.4, 0.6)
    assert decide([RIGHT, SPREAD], {"right": good, "spread": none})
    assert not decide([RIGHT, SPREAD], {"right": bad, "spread": none})
    assert not decide([RIGHT, SPREAD], {"right": good, "spread": much})
    assert decide([RIGHT], {"right": good, "spread": much})  # what is no goal does not count


def test_a_bound_is_told_with_its_side():
    assert (RIGHT.told, SPREAD.told) == ("at least 0.8", "at most 0.2")


def test_what_was_not_measured_is_no_goal_that_is_kept():
    with pytest.raises(DataError, match="none for spread"):
        decide([RIGHT, SPREAD], {"right": Interval(1, 1, 1)})
    with pytest.raises(ArgumentError, match="at least one"):
        decide([], {})
    with pytest.raises(NonFiniteError, match="spread"):
        SPREAD.kept(Interval(0.1, 0.0, float("nan")))
