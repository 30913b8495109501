"""09.4: splitting and joining heads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

X = np.array([[[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]])  # one text, three positions, width four
HEADS = np.array([[[[1.0, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]]])
sizes = st.integers(1, 3)


def test_each_head_gets_its_numbers_of_every_position(mine):
    call(mine.split_heads, X, 2).gives(HEADS)


def test_one_head_gets_everything(mine):
    call(mine.split_heads, X, 1).gives(X[:, None])


def test_a_head_a_number(mine):
    call(mine.split_heads, X, 4).then("[0, 3, :, 0]", lambda y: y[0, 3, :, 0]).gives(np.array([4.0, 8, 12]))


def test_the_heads_are_put_side_by_side_again(mine):
    call(mine.join_heads, HEADS).gives(X)


def test_neighbours_share_a_head_of_keys(mine):
    k = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # two heads, one key each
    call(mine.share_heads, k, 4).gives(np.array([[[[1.0, 2.0]], [[1.0, 2.0]], [[3.0, 4.0]], [[3.0, 4.0]]]]))


def test_three_neighbours_share_one_too(mine):
    k = np.array([[[[1.0]], [[3.0]]]])
    call(mine.share_heads, k, 6).then("[0, :, 0, 0]", lambda y: y[0, :, 0, 0]).gives(np.array([1.0, 1, 1, 3, 3, 3]))


def test_with_as_many_heads_each_has_its_own(mine):
    call(mine.share_heads, HEADS, 2).gives(HEADS)


def test_one_head_of_keys_serves_all(mine):
    call(mine.share_heads, HEADS[:, :1], 3).gives(HEADS[:, [0, 0, 0]])


@given(sizes, sizes, sizes, sizes)
def test_shapes(mine, batch, heads, time, size):
    x = np.arange(batch * time * heads * size, dtype=float).reshape(batch, time, heads * size)
    call(mine.split_heads, x, heads).then(".shape", np.shape).gives((batch, heads, time, size))


@given(sizes, sizes, sizes, sizes)
def test_joining_undoes_splitting(mine, batch, heads, time, size):
    x = np.arange(batch * time * heads * size, dtype=float).reshape(batch, time, heads * size)
    call(mine.join_heads, mine.split_heads(x, heads)).gives(x)
