"""24.2: a price on every token."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import align
from tinygrad_llm.course.exercises.calls import call

nan = np.nan


def batch_of(targets, old, reference):
    return {
        "targets": np.array(targets),
        "old_log_probs": np.array(old, float),
        "reference_log_probs": np.array(reference, float),
    }


def test_a_price_by_hand(mine):
    batch = batch_of([[4, 5]], [[-1, -2]], [[-3, -1]])  # one token likelier by 2 nats, one less likely by 1
    call(mine.token_rewards, batch, np.array([10.0]), 0.5).gives(np.array([[-1.0, 10.5]]))


def test_the_score_stands_at_the_answers_last_token(mine):
    batch = batch_of([[-100, 4, 5, -100], [4, 4, 4, 4]], np.zeros((2, 4)), np.zeros((2, 4)))
    wanted = np.array([[0, 0, 3.0, 0], [0, 0, 0, 7.0]])
    call(mine.token_rewards, batch, np.array([3.0, 7.0]), 0.1).gives(wanted)


def test_a_token_whose_number_is_0_is_one_like_others(mine):
    batch = batch_of([[-100, 4, 0]], [[-5, -1, -2]], [[-1, -3, -1]])
    call(mine.token_rewards, batch, np.array([3.0]), 0.5).gives(np.array([[0, -1.0, 3.5]]))


def test_an_answer_stands_anywhere_in_its_row(mine):
    batch = batch_of([[-100, -100, 9, -100]], np.zeros((1, 4)), np.zeros((1, 4)))
    call(mine.token_rewards, batch, np.array([2.0]), 1.0).gives(np.array([[0, 0, 2.0, 0]]))


def test_nothing_stands_outside_of_an_answer(mine):
    batch = batch_of([[-100, 4, -100]], [[-5, -1, -6]], [[-1, -1, -1]])
    call(mine.token_rewards, batch, np.array([1.0]), 1.0).gives(np.array([[0, 1.0, 0]]))


def test_what_stands_outside_is_not_even_read(mine):
    batch = batch_of([[-100, 4, 5, -100], [6, -100, -100, -100]], [[nan, -1, -2, nan], [-1, nan, nan, nan]],
                     [[nan, -3, -2, nan], [-2, nan, nan, nan]])  # fmt: skip
    wanted = np.array([[0, -1.0, 3.0, 0], [6.5, 0, 0, 0]])
    call(mine.token_rewards, batch, np.array([3.0, 7.0]), 0.5).gives(wanted)


def test_without_a_price_only_the_score_is_left(mine):
    batch = batch_of([[4, 5]], [[-1, -2]], [[-3, -1]])
    call(mine.token_rewards, batch, np.array([10.0]), 0.0).gives(np.array([[0, 10.0]]))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(-3, 3)), min_size=1, max_size=3),
    st.integers(0, 9),
)
def test_the_package_says_the_same(mine, rows, seed):
    rng = np.random.default_rng(seed)
    places = np.arange(4)
    there = np.array([(places >= begin) & (places < begin + count) for begin, count, _ in rows])
    old, reference = np.where(there, rng.integers(-3, 1, (2, len(rows), 4)), nan)
    batch = batch_of(np.where(there, 1, -100), old, reference)
    scores = np.array([score for *_, score in rows], float)
    call(mine.token_rewards, batch, scores, 0.5).gives(align.token_rewards(batch, scores, 0.5))
