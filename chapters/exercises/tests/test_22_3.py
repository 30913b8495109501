"""22.3: the nearest matrix of rank r."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_of_a_diagonal_the_largest_stay(mine):
    call(mine.best_rank, np.diag([1.0, 3.0, 2.0]), 2).gives(np.diag([0.0, 3.0, 2.0]))


def test_one_row_times_one_column_is_found_again(mine):
    matrix = np.outer([1.0, 2.0, 3.0], [4.0, 5.0])
    call(mine.best_rank, matrix, 1).gives(matrix)


def test_rank_zero_leaves_nothing(mine):
    call(mine.best_rank, np.array([[1.0, 2.0], [3.0, 5.0]]), 0).gives(np.zeros((2, 2)))


def test_a_rank_above_all_leaves_everything(mine):
    call(mine.best_rank, np.array([[1.0, 2.0, 0.0], [3.0, 5.0, 1.0]]), 9).gives(np.array([[1.0, 2, 0], [3, 5, 1]]))


def test_wider_than_high_and_higher_than_wide(mine):
    wide = np.array([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    call(mine.best_rank, wide, 1).gives(np.array([[3.0, 0, 0], [0, 0, 0]]))
    call(mine.best_rank, wide.T, 1).gives(np.array([[3.0, 0], [0, 0], [0, 0]]))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 9))
def test_what_is_lost_are_the_last_singular_values(mine, rows, columns, r, seed):
    matrix = np.random.default_rng(seed).integers(-3, 4, (rows, columns)) * 1.0

    def squares_lost(matrix, r):
        return float(((matrix - mine.best_rank(matrix, r)) ** 2).sum())

    lost = np.linalg.svd(matrix, compute_uv=False)[r:]
    call(squares_lost, matrix, r).gives(float((lost**2).sum()))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 9))
def test_it_has_the_rank(mine, rows, columns, r, seed):
    matrix = np.random.default_rng(seed).normal(size=(rows, columns))

    def rank_of_the_answer(matrix, r):
        return int(np.linalg.matrix_rank(mine.best_rank(matrix, r)))

    call(rank_of_the_answer, matrix, r).gives(min(r, rows, columns))
