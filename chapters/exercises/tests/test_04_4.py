"""04.4: rows by id."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

G = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])


def test_each_id_once(mine):
    call(mine.sum_rows_by_id, G, np.array([3, 0, 1, 2]), 4, True).gives(G[[1, 2, 3, 0]])


def test_an_id_that_repeats_adds_up(mine):
    expected = np.array([[5.0, 50.0], [10.0, 100.0]])
    call(mine.sum_rows_by_id, G, np.array([0, 1, 0, 1]), 2, True).gives(expected)


def test_rows_that_nobody_used_are_zero(mine):
    expected = np.array([[0.0, 0.0], [15.0, 150.0], [0.0, 0.0]])
    call(mine.sum_rows_by_id, G, np.array([1, 1, 1, 1]), 3, True).gives(expected)


def test_a_hole_between_two(mine):
    expected = np.array([[8.0, 80.0], [0.0, 0.0], [7.0, 70.0]])
    call(mine.sum_rows_by_id, G, np.array([2, 2, 2, 0]), 3, True).gives(expected)


def test_float32_stays_float32(mine):
    expected = np.array([[5.0, 50.0], [10.0, 100.0]], np.float32)
    call(mine.sum_rows_by_id, G.astype(np.float32), np.array([0, 1, 0, 1]), 2, True).gives(expected)


def test_no_ids_at_all(mine):
    call(mine.sum_rows_by_id, np.zeros((0, 2)), np.zeros(0, int), 3, True).gives(np.zeros((3, 2)))


def test_a_large_table(mine):
    # the package goes another way here
    expected = np.zeros((600, 2))
    expected[599], expected[7] = [6.0, 60.0], [9.0, 90.0]
    call(mine.sum_rows_by_id, G, np.array([7, 599, 599, 7]), 600, True).then(
        "[[7, 599]]", lambda out: out[[7, 599]]
    ).gives(expected[[7, 599]])


@given(st.lists(st.integers(0, 4), max_size=8), st.integers(1, 3), st.integers(0, 99))
def test_the_same_as_one_at_a_time(mine, ids, width, seed):
    g = np.random.default_rng(seed).integers(-3, 4, (len(ids), width)) * 1.0
    expected = np.zeros((5, width))
    for row, i in zip(g, ids):
        expected[i] += row
    call(mine.sum_rows_by_id, g, np.array(ids, int), 5, True).gives(expected)
