"""06.2: PMI from counts."""

import math
import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_who_meets_all_alike_tells_nothing(mine):
    call(mine.positive_pmi, np.full((3, 3), 4.0)).gives(np.zeros((3, 3)))


def test_two_who_meet_only_each_other(mine):
    # each has half of all meetings, so by chance a quarter would be theirs: half is twice as much
    call(mine.positive_pmi, np.array([[6.0, 0.0], [0.0, 6.0]])).gives(np.array([[math.log(2), 0], [0, math.log(2)]]))


def test_less_than_chance_counts_as_nothing(mine):
    call(mine.positive_pmi, np.array([[3.0, 1.0], [1.0, 3.0]])).gives(
        np.array([[math.log(1.5), 0], [0, math.log(1.5)]])
    )


def test_a_frequent_word_is_not_peculiar_to_any(mine):
    # the first column is everybody's "the"
    counts = np.array([[90.0, 10.0, 0.0], [90.0, 0.0, 10.0]])
    call(mine.positive_pmi, counts).gives(np.array([[0, math.log(2), 0], [0, 0, math.log(2)]]))


def test_rows_and_columns_are_not_the_same(mine):
    counts = np.array([[2.0, 0.0], [1.0, 1.0]])
    call(mine.positive_pmi, counts).gives(np.log(np.array([[4 / 3, 1], [1, 2]])))


def test_a_word_that_met_nobody(mine):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(mine.positive_pmi, np.array([[0.0, 0.0], [0.0, 5.0]])).gives(np.zeros((2, 2)))
        call(mine.positive_pmi, np.zeros((2, 2))).gives(np.zeros((2, 2)))


@given(st.lists(st.integers(0, 5), min_size=9, max_size=9), st.integers(2, 5))
def test_reading_the_text_twice_changes_nothing(mine, counts, times):
    counts = np.array(counts, float).reshape(3, 3)
    once = call(mine.positive_pmi, counts).result
    call(mine.positive_pmi, counts * times).gives(once)
