"""Claims about texts that run in circles; the oracle is a regular expression."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.evaluate import loop_period


@given(st.text("ab", max_size=12), st.integers(1, 5), st.integers(2, 4))
def test_the_shortest_piece_is_found_that_a_regular_expression_finds(text, longest, times):
    found = [n for n in range(1, longest + 1) if re.search(rf"(.{{{n}}})\1{{{times - 1}}}\Z", text, re.DOTALL)]
    assert loop_period(text, longest, times) == (found[0] if found else 0)


@given(st.text("abc", min_size=1, max_size=4), st.text("abc", max_size=5))
def test_whatever_is_said_three_times_at_the_end_is_a_loop(piece, before):
    assert 0 < loop_period(before + 3 * piece, len(piece)) <= len(piece)


def test_twice_is_not_three_times_and_what_stands_behind_a_loop_ends_it():
    assert loop_period([1, 2, 1, 2], 4) == 0 and loop_period([1, 2, 1, 2], 4, times=2) == 2
    assert loop_period([1, 1, 1, 2], 4) == 0
    assert loop_period([5, 1, 2, 1, 2, 1, 2], 2) == 2 and loop_period([5, 1, 2, 1, 2, 1, 2], 1) == 0


def test_three_times_is_what_counts_where_nothing_is_said():
    assert loop_period([7, 7], 1) == 0 and loop_period([7, 7, 7], 1) == 1 and loop_period([], 3) == 0


def test_what_is_no_piece_and_no_repetition_is_refused():
    with pytest.raises(ArgumentError, match="longest: expected a whole number of at least 1, got 0"):
        loop_period([1], 0)
    with pytest.raises(ArgumentError, match="times: expected a whole number of at least 2, got 1"):
        loop_period([1], 1, times=1)
