"""31.3: the expected mark."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# tokens 1, 3, 4 are the marks 1, 2, 3; of four tokens' worth of probability among them 1, 1 and 2
LOGITS = np.log(np.array([[5.0, 1, 7, 1, 2]]))
TOKENS, MARKS = np.array([1, 3, 4]), np.array([1.0, 2, 3])
# SciPy 1.17.1: special.softmax over the marks, times the marks
SOME = np.array([[0.5, -1.25, 2.0, 0.75], [3.0, 0.0, -2.0, 1.5]])
GOLDEN = np.array([1.3083727176247688, 4.609754857042797])


def test_a_case_counted_by_hand(mine):
    call(mine.expected_mark, LOGITS, TOKENS, MARKS).gives(np.array([(1 + 2 + 3 * 2) / 4]))


def test_what_is_no_mark_has_no_part(mine):
    other = LOGITS.copy()
    other[0, 0], other[0, 2] = 9.0, -9.0
    call(mine.expected_mark, other, TOKENS, MARKS).gives(np.array([9 / 4]))


def test_two_marks_of_one_probability_have_the_middle(mine):
    call(mine.expected_mark, np.zeros((1, 4)), np.array([0, 3]), np.array([1.0, 4.0])).gives(np.array([2.5]))


def test_a_mark_is_what_it_is_worth_and_not_where_it_stands(mine):
    call(mine.expected_mark, LOGITS, TOKENS, np.array([3.0, 1.0, -1.0])).gives(np.array([(3 + 1 - 2) / 4]))


def test_tokens_stand_in_any_order(mine):
    call(mine.expected_mark, LOGITS, TOKENS[::-1], MARKS[::-1]).gives(np.array([9 / 4]))


def test_logits_in_the_thousands(mine):
    call(mine.expected_mark, LOGITS + 5000, TOKENS, MARKS).gives(np.array([9 / 4]))
    call(mine.expected_mark, LOGITS - 5000, TOKENS, MARKS).gives(np.array([9 / 4]))


def test_each_answer_by_itself(mine):
    both = np.concatenate([LOGITS, np.log(np.array([[1.0, 2, 3000, 1, 1]])) + 2000])
    call(mine.expected_mark, both, TOKENS, MARKS).gives(np.array([9 / 4, (2 + 2 + 3) / 4]))


def test_scipys_numbers(mine):
    call(mine.expected_mark, SOME, np.array([0, 2, 3]), np.array([5.0, 0.0, 3.0])).gives(GOLDEN)


@given(st.integers(0, 999), st.integers(1, 3))
def test_answer_by_answer(mine, seed, count):
    rng = np.random.default_rng(seed)
    logits, tokens, marks = rng.normal(0, 2, (count, 5)), rng.permutation(5)[:3], rng.integers(0, 6, 3).astype(float)
    told = []
    for row in logits:
        weights = [np.exp(row[t]) for t in tokens]
        told.append(sum(w * m for w, m in zip(weights, marks)) / sum(weights))
    call(mine.expected_mark, logits, tokens, marks).gives(np.array(told))
