"""09.1: softmax."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_llm.course.exercises.calls import call

scores = arrays(np.float64, array_shapes(max_dims=3, max_side=3), elements=st.integers(-3, 3).map(float))


def test_equal_scores_get_equal_shares(mine):
    call(mine.softmax, np.array([5.0, 5.0])).value(np.array([0.5, 0.5]))


def test_one_row(mine):
    # exp(ln 3) = 3, so the shares are 1 : 3
    call(mine.softmax, np.array([[0.0, np.log(3.0)]])).value(np.array([[0.25, 0.75]]))


def test_big_scores_do_not_overflow(mine):
    call(mine.softmax, np.array([[1000.0, 1000.0]])).value(np.array([[0.5, 0.5]]))


def test_each_row_has_a_maximum_of_its_own(mine):
    # with one maximum for both, the second row would be 0 divided by 0
    call(mine.softmax, np.array([[1000.0, 1000.0], [0.0, 0.0]])).value(np.full((2, 2), 0.5))


def test_it_runs_along_the_axis_it_is_given(mine):
    x = np.array([[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]])
    call(mine.softmax, x, axis=0).value(np.full((3, 2), 1 / 3))


def test_float32_stays_float32(mine):
    call(mine.softmax, np.array([1.0, 1.0], np.float32)).value(np.array([0.5, 0.5], np.float32), rtol=1e-6)


@given(scores)
def test_shares_sum_to_one(mine, x):
    call(mine.softmax, x).then("[0].sum(-1)", lambda pair: pair[0].sum(-1)).gives(np.ones(x.shape[:-1]))


def test_the_gradient_by_hand(mine):
    # y = (3/4, 1/4), and the mean of g weighted by them is 3/4: dx = (3/4 · (1 - 3/4), 1/4 · (0 - 3/4))
    call(mine.softmax, np.array([np.log(3.0), 0.0])).gradient(np.array([1.0, 0.0]), np.array([0.1875, -0.1875]))


@given(scores)
def test_the_gradient_follows_differences(mine, x):
    call(mine.softmax, x).follows_differences()


def test_the_gradient_along_another_axis(mine):
    call(mine.softmax, np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]]), axis=0).follows_differences()
