"""15.1: the circle."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_one_token_three_times(mine):
    call(mine.loop_period, [4, 5, 5, 5], 4).gives(1)


def test_a_piece_of_two(mine):
    call(mine.loop_period, [7, 1, 2, 1, 2, 1, 2], 4).gives(2)


def test_the_shortest_counts(mine):
    call(mine.loop_period, [5, 5, 5, 5, 5, 5], 4).gives(1)


def test_twice_is_not_enough(mine):
    call(mine.loop_period, [1, 2, 1, 2], 4).gives(0)
    call(mine.loop_period, [5, 5], 4).gives(0)


def test_what_stands_behind_a_circle_ends_it(mine):
    call(mine.loop_period, [5, 5, 5, 8], 4).gives(0)
    call(mine.loop_period, [1, 2, 1, 2, 1, 2, 1, 1], 4).gives(0)


def test_a_piece_may_be_as_long_as_longest_and_no_longer(mine):
    call(mine.loop_period, [1, 2, 3, 1, 2, 3, 1, 2, 3], 3).gives(3)
    call(mine.loop_period, [1, 2, 3, 1, 2, 3, 1, 2, 3], 2).gives(0)


def test_a_text_that_is_too_short_has_none(mine):
    call(mine.loop_period, [], 4).gives(0)
    call(mine.loop_period, [5], 4).gives(0)
    call(mine.loop_period, [1, 2, 3, 1], 3).gives(0)


def test_other_numbers_of_times(mine):
    call(mine.loop_period, [1, 2, 1, 2], 4, times=2).gives(2)
    call(mine.loop_period, [1, 2, 1, 2, 1, 2], 4, times=4).gives(0)
    call(mine.loop_period, [5, 1, 2, 1, 2, 1, 2, 1, 2], 2, times=4).gives(2)


def test_the_middle_piece_counts_too(mine):
    call(mine.loop_period, [1, 2, 3, 4, 1, 2], 2).gives(0)


def test_tokens_may_be_anything_that_can_be_compared(mine):
    call(mine.loop_period, [1, 11, 11, 1], 2, times=2).gives(0)
    call(mine.loop_period, ["so", "it", "so", "it", "so", "it"], 4).gives(2)
    call(mine.loop_period, [[7], [7], [7]], 4).gives(1)


@given(st.text("ab", max_size=12), st.integers(1, 4), st.integers(2, 4))
def test_any_text_against_a_regular_expression(mine, text, longest, times):
    found = [n for n in range(1, longest + 1) if re.search(rf"(.{{{n}}})\1{{{times - 1}}}\Z", text)]
    call(mine.loop_period, list(text), longest, times=times).gives(found[0] if found else 0)
