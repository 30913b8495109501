"""15.2: the likelier answer."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Spelled

LOG_P = Spelled("np.log([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.25, 0.5, 0.25], [0.0625, 0.0625, 0.875]])")


def test_an_answer_of_one_token(mine):
    call(mine.answer_log_prob, LOG_P, np.array([0, 1, 2, 1]), 3).gives(np.log(0.5))


def test_probabilities_of_an_answer_are_multiplied(mine):
    call(mine.answer_log_prob, LOG_P, np.array([0, 1, 2, 1]), 2).gives(np.log(0.75 * 0.5))
    call(mine.answer_log_prob, LOG_P, np.array([0, 1, 2, 1]), 1).gives(np.log(0.25 * 0.75 * 0.5))


def test_the_question_does_not_count(mine):
    call(mine.answer_log_prob, LOG_P, np.array([2, 0, 0, 1]), 3).gives(np.log(0.5))


def test_an_answer_of_no_token_is_certain(mine):
    call(mine.answer_log_prob, LOG_P, np.array([0, 1, 2, 1]), 4).gives(0.0)


def test_tokens_may_be_a_list(mine):
    call(mine.answer_log_prob, LOG_P, [0, 1, 2, 1], 2).gives(np.log(0.75 * 0.5))


def test_a_long_answer_has_a_logarithm_too(mine):
    halves, zeros = Spelled("np.full((2000, 2), np.log(0.5))"), Spelled("np.zeros(2000, int)")
    call(mine.answer_log_prob, halves, zeros, 1).gives(1999 * np.log(0.5))


@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(2, 5))
def test_answers_of_one_length_share_what_is_certain(mine, seed, T, V):
    """All tokens that may come next have probabilities that add up to 1."""
    rng = np.random.default_rng(seed)
    log_p = np.log(rng.dirichlet(np.ones(V), T))
    tokens = rng.integers(0, V, T)
    each = [call(mine.answer_log_prob, log_p, np.r_[tokens[:-1], v], T - 1) for v in range(V)]
    for v, one in enumerate(each):
        one.gives(float(log_p[T - 2, v]))
