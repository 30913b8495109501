"""21.3: texts into rows."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.datasets.packing import first_fit


def test_no_texts_need_no_rows(mine):
    call(mine.first_fit, [], 4).gives([])


def test_a_text_that_fills_a_row(mine):
    call(mine.first_fit, [4], 4).gives([[0]])


def test_two_that_fill_it_exactly(mine):
    call(mine.first_fit, [3, 1], 4).gives([[0, 1]])


def test_what_does_not_fit_begins_a_row(mine):
    call(mine.first_fit, [3, 2, 2, 2], 4).gives([[0], [1, 2], [3]])


def test_the_longest_come_first(mine):
    call(mine.first_fit, [1, 3, 2], 3).gives([[1], [2, 0]])


def test_of_equals_the_first_comes_first(mine):
    call(mine.first_fit, [2, 2, 2], 4).gives([[0, 1], [2]])


def test_the_first_row_with_room_not_the_last(mine):
    call(mine.first_fit, [4, 4, 3, 3], 7).gives([[0, 2], [1, 3]])


def test_not_the_row_that_is_filled_best(mine):
    call(mine.first_fit, [9, 5, 5, 2], 12).gives([[0, 3], [1, 2]])


@given(st.lists(st.integers(1, 5), max_size=8), st.integers(5, 9))
def test_the_package_says_the_same(mine, lengths, size):
    call(mine.first_fit, lengths, size).gives(first_fit(lengths, size))
