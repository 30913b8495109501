"""01.1: slopes."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

numbers = st.integers(1, 4).map(float)
H = 1e-6


def test_a_product_moves_with_the_other_factor(mine):
    call(mine.multiply, 3.0, 5.0).gives((15.0, (5.0, 3.0)))


def test_a_quotient(mine):
    call(mine.divide, 6.0, 2.0).gives((3.0, (0.5, -1.5)))


def test_tanh_at_zero_is_steepest(mine):
    call(mine.tanh, 0.0).gives((0.0, (1.0,)))


def test_tanh_at_one(mine):
    y = math.tanh(1.0)
    call(mine.tanh, 1.0).gives((y, (1 / math.cosh(1.0) ** 2,)))


def test_a_square_and_a_cube(mine):
    call(mine.power, 3.0, 2).gives((9.0, (6.0,)))
    call(mine.power, 3.0, 3).gives((27.0, (27.0,)))


@given(numbers, numbers)
def test_slopes_follow_differences(mine, a, b):
    for function in (mine.multiply, mine.divide):
        by_a = (function(a + H, b)[0] - function(a - H, b)[0]) / (2 * H)
        by_b = (function(a, b + H)[0] - function(a, b - H)[0]) / (2 * H)
        call(function, a, b).then("[1]", lambda result: result[1]).gives((by_a, by_b), rtol=1e-4, atol=1e-6)
