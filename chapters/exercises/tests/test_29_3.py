"""29.3: what a prompt likes anyway."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_what_is_expected_anyway_is_divided_out(mine):
    # 0.6 is less than the 0.75 that the prompt expects of it
    call(mine.calibrated, np.array([[0.6, 0.4]]), np.array([[0.75, 0.25]])).gives(np.array([[1 / 3, 2 / 3]]))


def test_a_question_like_an_empty_one_is_even(mine):
    call(mine.calibrated, np.array([[0.7, 0.2, 0.1]]), np.array([[0.7, 0.2, 0.1]])).gives(np.full((1, 3), 1 / 3))


def test_where_nothing_is_expected_nothing_changes(mine):
    call(mine.calibrated, np.array([[0.7, 0.2, 0.1]]), np.full((2, 3), 1 / 3)).gives(np.array([[0.7, 0.2, 0.1]]))


def test_several_empty_questions_are_averaged(mine):
    p_empty = np.array([[0.9, 0.1], [0.5, 0.5]])  # 0.7 and 0.3
    call(mine.calibrated, np.array([[0.7, 0.3]]), p_empty).gives(np.array([[0.5, 0.5]]))


def test_other_words_do_not_count(mine):
    # the answers have 0.5 of all words here, 0.1 there
    call(mine.calibrated, np.array([[0.3, 0.2]]), np.array([[0.075, 0.025]])).gives(np.array([[1 / 3, 2 / 3]]))


def test_each_empty_question_counts_as_much(mine):
    # of the second the answers have but a tenth; scaled it is 0.5 and 0.5
    p_empty = np.array([[0.9, 0.1], [0.05, 0.05]])
    call(mine.calibrated, np.array([[0.7, 0.3]]), p_empty).gives(np.array([[0.5, 0.5]]))


def test_each_question_has_a_row_of_its_own(mine):
    p = np.array([[0.6, 0.4], [0.9, 0.1], [0.3, 0.7]])
    q = np.array([[1 / 3, 2 / 3], [0.75, 0.25], [0.125, 0.875]])
    call(mine.calibrated, p, np.array([[0.75, 0.25]])).gives(q)


def test_as_many_answers_as_questions(mine):
    # what is divided by belongs to the answers, the columns
    p = np.array([[0.6, 0.4], [0.9, 0.1]])
    call(mine.calibrated, p, np.array([[0.75, 0.25]])).gives(np.array([[1 / 3, 2 / 3], [0.75, 0.25]]))


def test_what_was_given_is_left_as_it_was(mine):
    p, p_empty = np.array([[0.6, 0.4]]), np.array([[1.5, 0.5]]) / 4
    call(mine.calibrated, p, p_empty)
    call(np.concatenate, [p, p_empty]).gives(np.array([[0.6, 0.4], [0.375, 0.125]]))


@given(st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=1, max_size=3), st.lists(st.integers(1, 5), min_size=3, max_size=3))  # fmt: skip
def test_answer_by_answer(mine, empty, row):
    p, rows = np.array([row]) / 20, np.array(empty) / 20
    expected = [sum(r[c] / sum(r) for r in empty) / len(empty) for c in range(3)]
    ratios = [row[c] / expected[c] for c in range(3)]
    call(mine.calibrated, p, rows).gives(np.array([ratios]) / sum(ratios))
