"""27.3: where to put the threshold. Its golden: every score tried."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

SCORES = np.array([0.9, 0.8, 0.6, 0.3, 0.95, 0.1])
LABELS = np.array([1, 1, 1, 1, 0, 0])


def test_all_that_are_unsafe(mine):
    call(mine.threshold_for, SCORES, LABELS, 1.0).gives(0.3)


def test_half_of_the_unsafe(mine):
    call(mine.threshold_for, SCORES, LABELS, 0.5).gives(0.8)


def test_at_least_the_share(mine):
    # two of four are too few for 0.6
    call(mine.threshold_for, SCORES, LABELS, 0.6).gives(0.6)


def test_safe_answers_do_not_move_it(mine):
    call(mine.threshold_for, np.append(SCORES, [0.99, 0.98, 0.97]), np.append(LABELS, [0, 0, 0]), 0.5).gives(0.8)


def test_the_least_share_is_one_answer(mine):
    call(mine.threshold_for, SCORES, LABELS, 0.01).gives(0.9)


def test_a_share_that_is_no_exact_number(mine):
    # 0.1 * 3 is 0.30000000000000004: three of ten are enough
    call(mine.threshold_for, np.arange(10, -1, -1.0), np.array([1] * 10 + [0]), 0.1 * 3).gives(8.0)


def test_scores_may_be_below_nothing_and_in_any_order(mine):
    call(mine.threshold_for, np.array([-3.0, -1.0, 2.0, -2.0]), np.array([1, 0, 1, 1]), 0.5).gives(-2.0)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=8),
    st.sampled_from([0.3, 0.5, 0.75, 1.0]),
)
def test_by_trying_every_score(mine, drawn, tpr):
    drawn = [(0, True), (1, False), *drawn]
    unsafe = [score for score, is_unsafe in drawn if is_unsafe]
    good = [t for t in unsafe if sum(score >= t for score in unsafe) >= tpr * len(unsafe)]
    scores, labels = np.array([score for score, _ in drawn]) * 1.0, np.array([int(is_unsafe) for _, is_unsafe in drawn])
    call(mine.threshold_for, scores, labels, tpr).gives(float(max(good)))
