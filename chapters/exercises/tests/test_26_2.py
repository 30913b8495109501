"""26.2: is one of k attempts right?"""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_one_attempt_is_the_share_of_right_ones(mine):
    call(mine.pass_at_k, 4, 1, 1).gives(0.25)


def test_two_of_four_by_hand(mine):
    call(mine.pass_at_k, 4, 1, 2).gives(0.5)  # six pairs, three of them with the right one


def test_none_right(mine):
    call(mine.pass_at_k, 5, 0, 3).gives(0.0)


def test_all_right(mine):
    call(mine.pass_at_k, 5, 5, 3).gives(1.0)


def test_fewer_wrong_than_picked(mine):
    call(mine.pass_at_k, 5, 3, 3).gives(1.0)  # there are but two wrong ones


def test_more_than_there_are_is_refused(mine):
    def refused(n, c, k):
        with pytest.raises(ValueError):
            mine.pass_at_k(n, c, k)
        return True

    call(refused, 2, 1, 3).gives(True)


def test_as_many_as_there_are_is_not_refused(mine):
    call(mine.pass_at_k, 3, 1, 3).gives(1.0)


@given(st.integers(1, 6), st.integers(0, 6), st.integers(1, 6))
def test_the_share_of_all_choices(mine, n, c, k):
    c, k = min(c, n), min(k, n)
    chosen = [any(pick) for pick in combinations([True] * c + [False] * (n - c), k)]
    call(mine.pass_at_k, n, c, k).gives(sum(chosen) / len(chosen))
