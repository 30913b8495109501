"""12.4: one table, two uses."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TABLE = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 2.0]])


def as_it_is(x):
    return 1.0 * x, lambda g, needs: g


def nothing(x):
    return np.ones_like(x), lambda g, needs: 0 * g


def tanh(x):
    y = np.tanh(x)
    return y, lambda g, needs: g * (1 - y * y)


def test_the_stream_is_compared_with_every_word(mine):
    call(mine.tied, TABLE, np.array([1]), as_it_is).value(np.array([[-5.5, 9.25, 5.5]]))


def test_where_the_middle_forgets_what_it_read_only_the_head_is_left(mine):
    # the stream is (1, 1) whatever was read
    g = np.array([[1.0, 2.0, 4.0]])
    call(mine.tied, TABLE, np.array([1]), nothing).gradient(g, np.array([[1.0, 1], [2, 2], [4, 4]]))


def test_both_ways_count(mine):
    # logits of word 0 alone, read from word 1: t1 · t0. Its gradient is t1 for row 0 and t0 for row 1
    g = np.array([[1.0, 0.0, 0.0]])
    call(mine.tied, TABLE, np.array([1]), as_it_is).gradient(g, np.array([[0.5, 3.0], [1.0, -2.0], [0, 0]]))


def test_a_word_compared_with_itself_gets_twice_as_much(mine):
    # t1 · t1
    g = np.array([[0.0, 1.0, 0.0]])
    call(mine.tied, TABLE, np.array([1]), as_it_is).gradient(g, np.array([[0.0, 0], [1, 6], [0, 0]]))


def test_a_word_read_twice_gets_both(mine):
    g = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    call(mine.tied, TABLE, np.array([1, 1]), as_it_is).gradient(g, np.array([[1.0, 6.0], [2.0, -4.0], [0, 0]]))


def test_the_middle_is_on_the_way_back_too(mine):
    call(mine.tied, TABLE / 4, np.array([0, 2]), tanh).follows_differences()


@given(st.lists(st.integers(0, 2), min_size=1, max_size=4), st.integers(0, 99))
def test_gradients_follow_differences(mine, ids, seed):
    table = np.random.default_rng(seed).integers(-3, 4, (3, 2)) / 4
    call(mine.tied, table, np.array(ids), tanh).follows_differences()


def test_pytorchs_gradient(mine):
    # torch 2.13.0, float64: tanh(F.embedding(ids, table)) @ table.T and its backward with g
    g = np.array([[1.0, 0, -2], [0.5, 1, 0], [0, -1, 2]])
    expected = np.array([[0.03917726363614371, 0.6233154397442373], [1.5231883119115297, -1.9280551601516338], [0.2099871708070129, -0.35325412426582214]])  # fmt: skip
    call(mine.tied, TABLE, np.array([2, 0, 2]), tanh).gradient(g, expected)
