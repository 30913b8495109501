"""06.3: the loss of skip-gram."""

import math
import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

Z = np.zeros(2)
W, C, N = np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([[1.0, 1.0], [0.0, -1.0], [2.0, 0.0]])


def test_who_knows_nothing_pays_ln_2_for_each(mine):
    call(mine.skip_gram, Z, Z, np.zeros((3, 2))).value(4 * math.log(2))


def test_the_real_one_wants_a_large_score_and_the_others_a_small_one(mine):
    call(mine.skip_gram, np.array([3.0, 0.0]), np.array([1.0, 0.0]), np.array([[-1.0, 5.0]])).value(
        2 * math.log(1 + math.exp(-3))
    )


def test_the_gradient_of_the_real_one(mine):
    # at score 0 it is half wrong, and a step against the gradient brings w and c together
    made = call(mine.skip_gram, np.array([2.0, 0.0]), np.array([0.0, 4.0]), np.zeros((1, 2)))
    made.gradient(1.0, np.array([0.0, -2.0]), np.array([-1.0, 0.0]), np.array([[1.0, 0.0]]))


def test_g_is_passed_on(mine):
    made = call(mine.skip_gram, np.array([2.0, 0.0]), np.array([0.0, 4.0]), np.zeros((1, 2)))
    made.gradient(3.0, np.array([0.0, -6.0]), np.array([-3.0, 0.0]), np.array([[3.0, 0.0]]))


def test_as_pytorch_has_it(mine):
    # torch 2.13: -(logsigmoid(w @ c) + logsigmoid(-(n @ w)).sum()), and its gradients
    made = call(mine.skip_gram, W, C, N)
    made.value(5.260264890164114, rtol=1e-12)
    made.gradient(
        1.0,
        np.array([1.78053557732576, -0.7368556566078873]),
        np.array([-0.5, 1.0]),
        np.array([[0.2689414213699951, -0.5378828427399902], [0.8807970779778823, -1.7615941559557646], [0.8807970779778823, -1.7615941559557646]]),
        rtol=1e-12,
    )  # fmt: skip


def test_large_scores_do_not_overflow(mine):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = call(mine.skip_gram, np.array([1000.0]), np.array([1.0]), np.array([[-1.0]]))
        made.value(0.0)
        made.gradient(1.0, np.array([0.0]), np.array([0.0]), np.array([[0.0]]))
        made = call(mine.skip_gram, np.array([1000.0]), np.array([-1.0]), np.array([[1.0]]))
        made.value(2000.0)
        made.gradient(1.0, np.array([2.0]), np.array([-1000.0]), np.array([[1000.0]]))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_gradients_follow_differences(mine, d, k, seed):
    rng = np.random.default_rng(seed)
    w, c, n = (rng.integers(-3, 4, shape) / 2 for shape in (d, d, (k, d)))
    call(mine.skip_gram, w, c, n).follows_differences()
