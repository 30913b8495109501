"""08.3: how far back a gradient reaches."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
SHEAR = np.array([[0.5, 100.0], [0.0, 0.5]])


def test_a_diagonal(mine):
    call(mine.radius, np.diag([0.5, 0.25, 0.0])).gives(0.5)


def test_a_negative_number_is_as_large_as_a_positive_one(mine):
    call(mine.radius, np.diag([0.5, -0.75])).gives(0.75)


def test_a_turn_keeps_every_length(mine):
    # its eigenvalues are i and -i
    call(mine.radius, TURN).gives(1.0)


def test_in_the_long_run_it_is_not_what_one_step_may_do(mine):
    # one step can make a vector a hundred times as long; but the two halves on the diagonal win in the end
    call(mine.radius, SHEAR).gives(0.5, rtol=1e-6)


def test_halving_three_times_is_an_eighth(mine):
    call(mine.reach, np.diag([0.5, 0.1]), 1 / 8).gives(3)


def test_a_little_less_than_an_eighth_takes_one_more(mine):
    call(mine.reach, np.diag([0.5, 0.1]), 0.124).gives(4)


def test_what_does_not_shrink_reaches_for_ever(mine):
    call(mine.reach, TURN, 0.01).gives(math.inf)
    call(mine.reach, 2 * TURN, 0.01).gives(math.inf)


def test_what_is_gone_is_gone_in_a_step(mine):
    call(mine.reach, np.zeros((2, 2)), 0.01).gives(1)


def test_a_hundredth_at_nine_tenths_a_step(mine):
    call(mine.reach, 0.9 * TURN, 0.01).gives(44)


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 99))
def test_it_is_what_repeated_multiplication_does(mine, size, tenths, seed):
    # a symmetric matrix stretches its strongest direction by exactly the radius
    a = np.random.default_rng(seed).integers(-3, 4, (size, size)) * 1.0
    a += a.T
    values, vectors = np.linalg.eigh(a)
    strongest = np.argmax(np.abs(values))
    if abs(values[strongest]) < 0.5:
        return
    w = a * (tenths / 10 / abs(values[strongest]))
    v = vectors[:, strongest]
    call(mine.radius, w).gives(float(np.linalg.norm(w @ v)), rtol=1e-6)
