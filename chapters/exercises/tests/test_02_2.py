"""02.2: the matrix product."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
B = np.array([[1.0, 0.0, -1.0, 2.0], [2.0, 1.0, 0.0, 1.0]])
G = np.array([[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 3.0]])


def test_the_value(mine):
    call(mine.matmul, A, B).value(np.array([[5.0, 2, -1, 4], [11, 4, -3, 10], [17, 6, -5, 16]]))


def test_the_gradient_of_the_left_factor(mine):
    # row n of da is the sum over o of g[n, o] times column o of b
    call(mine.matmul, A, B).gradient(G, np.array([[-1.0, 2.0], [0.0, 1.0], [7.0, 6.0]]), None)


def test_the_gradient_of_the_right_factor(mine):
    call(mine.matmul, A, B).gradient(G, None, np.array([[6.0, 8, 2, 15], [8, 10, 4, 18]]))


def test_a_batch_of_products(mine):
    a, b = np.arange(8.0).reshape(2, 2, 2), np.ones((2, 2, 1))
    call(mine.matmul, a, b).value(a.sum(-1, keepdims=True))
    call(mine.matmul, a, b).follows_differences()


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_gradients_follow_differences(mine, n, i, o, seed):
    rng = np.random.default_rng(seed)
    call(mine.matmul, rng.integers(-3, 4, (n, i)) * 1.0, rng.integers(-3, 4, (i, o)) * 1.0).follows_differences()
