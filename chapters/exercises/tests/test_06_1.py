"""06.1: looking up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_rows_in_the_order_asked_for(mine):
    call(mine.embedding, W, np.array([2, 0])).value(np.array([[5.0, 6.0], [1.0, 2.0]]))


def test_a_batch_of_sentences(mine):
    call(mine.embedding, W, np.array([[2, 0], [1, 1]])).value(np.array([[[5.0, 6], [1, 2]], [[3, 4], [3, 4]]]))


def test_what_was_not_looked_up_gets_nothing(mine):
    call(mine.embedding, W, np.array([2])).gradient(np.array([[7.0, 8.0]]), np.array([[0.0, 0], [0, 0], [7, 8]]), None)


def test_what_was_looked_up_twice_gets_both(mine):
    g = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    call(mine.embedding, W, np.array([1, 0, 1])).gradient(g, np.array([[2.0, 20], [5, 50], [0, 0]]), None)


def test_float32_stays_float32(mine):
    w = W.astype(np.float32)
    call(mine.embedding, w, np.array([1])).gradient(
        np.ones((1, 2), np.float32), np.float32([[0, 0], [1, 1], [0, 0]]), None
    )


@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(0, 99))
def test_it_is_a_product_with_one_hot_rows(mine, ids, seed):
    g = np.random.default_rng(seed).integers(-3, 4, (len(ids), 2)).astype(float)
    looked_up = call(mine.embedding, W, np.array(ids))
    looked_up.value(np.eye(3)[ids] @ W)
    looked_up.gradient(g, np.eye(3)[ids].T @ g, None)
