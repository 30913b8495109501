"""02.3: a check that can fail. It is itself held against operations that are right, and wrong in known ways."""

import numpy as np

from tinygrad_llm.course.exercises.calls import call


def square(x):
    return x * x, lambda g, needs: 2 * x * g


def square_without_the_2(x):
    return x * x, lambda g, needs: x * g


def square_of_the_first_entry_only(x):
    return x * x, lambda g, needs: np.where(np.arange(x.size).reshape(x.shape) == 0, 2 * x * g, 0)


def softmax_with_gradient_zero(x):
    y = np.exp(x) / np.exp(x).sum()
    return y, lambda g, needs: np.zeros_like(x)


def square_with_a_gradient_of_nan(x):
    return x * x, lambda g, needs: x * np.nan


def hundred_squares_a_little_wrong(x):
    return 100 * x * x, lambda g, needs: 200.5 * x * g


X = np.array([[1.0, -2.0, 3.0]])
C = np.array([[1.0, 0.5, -2.0]])


def test_differences_of_a_square(mine):
    call(mine.differences, square, X, C).gives(2 * X * C, rtol=1e-6)


def test_differences_have_the_shape_of_x(mine):
    def total(x):
        return x.sum(), lambda g, needs: g + 0 * x

    call(mine.differences, total, X, 3.0).gives(np.full((1, 3), 3.0), rtol=1e-6)


def test_what_is_right_passes(mine):
    call(mine.is_right, square, X, C).gives(True)


def test_a_forgotten_2_is_found(mine):
    call(mine.is_right, square_without_the_2, X, C).gives(False)


def test_every_entry_is_looked_at(mine):
    call(mine.is_right, square_of_the_first_entry_only, X, C).gives(False)


def test_a_gradient_of_zero_is_found(mine):
    call(mine.is_right, softmax_with_gradient_zero, X, C).gives(False)


def test_nan_is_not_right(mine):
    call(mine.is_right, square_with_a_gradient_of_nan, X, C).gives(False)


def test_the_gradient_is_asked_for(mine):
    def only_if_needed(x):
        return x * x, lambda g, needs: 2 * x * g if needs[0] else None

    call(mine.is_right, only_if_needed, X, C).gives(True)


def test_a_quarter_of_a_percent_is_too_much(mine):
    call(mine.is_right, hundred_squares_a_little_wrong, X, C).gives(False)


def test_the_tolerance_grows_with_the_gradient(mine):
    def steep(x):
        return 1e9 * x * x, lambda g, needs: 2e9 * x * g * (1 + 1e-7)

    call(mine.is_right, steep, X, C).gives(True)


def test_and_is_that_of_1_for_a_small_one(mine):
    def flat(x):
        return 0 * x, lambda g, needs: np.full_like(x, 1e-7)

    call(mine.is_right, flat, X, C).gives(True)
