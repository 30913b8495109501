"""31.2: the length-controlled win rate."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# at z = 0 the first wins 3 of 4; at z = 1, where it is the longer one, 9 of 10
Y, Z = np.array([1.0] * 3 + [0] + [1] * 9 + [0]), np.array([0.0] * 4 + [1] * 10)
NOISY = np.array([0.9, 0.2, 0.7, 0.6, 0.4, 0.8, 0.3, 0.55]), np.array([1.5, -1.0, 0.5, 2.0, -0.5, 0.25, -2.0, 1.0])
# SciPy 1.17.1: minimize of sum of ln(1 + exp(c + f z)) - y (c + f z)
GOLDEN = 0.5292828025090013


def test_where_nothing_is_longer_on_average_it_is_the_win_rate(mine):
    y, z = np.array([1.0, 1, 1, 0, 1, 1, 1, 0]), np.array([1.0, 1, 1, 1, -1, -1, -1, -1])
    call(mine.controlled, y, z, 20).gives(0.75)


def test_it_is_the_rate_at_equal_length_and_not_the_raw_one(mine):
    call(mine.controlled, Y, Z, 20).gives(0.75)


def test_no_round_leaves_a_half(mine):
    call(mine.controlled, Y, Z, 0).gives(0.5)


def test_one_round_counted_by_hand(mine):
    # p = 1/2: g = (12 - 7, 9 - 5) = (5, 4), H = (14, 10; 10, 10) / 4, so c = 4 (5 · 10 - 4 · 10) / (140 - 100) = 1
    call(mine.controlled, Y, Z, 1).gives(1 / (1 + math.exp(-1)))


def test_the_second_round_begins_where_the_first_ended(mine):
    b = np.array([1.0, 0.6])  # f = 4 (14 · 4 - 10 · 5) / 40
    p0, p1 = (1 / (1 + math.exp(-v)) for v in (b[0], b.sum()))
    v0, v1 = 4 * p0 * (1 - p0), 10 * p1 * (1 - p1)
    g = np.array([3 - 4 * p0 + 9 - 10 * p1, 9 - 10 * p1])
    step = np.linalg.solve(np.array([[v0 + v1, v1], [v1, v1]]), g)
    call(mine.controlled, Y, Z, 2).gives(1 / (1 + math.exp(-b[0] - step[0])))


def test_turned_around_it_is_the_rate_of_the_other(mine):
    call(mine.controlled, 1 - Y, -Z, 20).gives(0.25)


def test_scipys_number(mine):
    call(mine.controlled, *NOISY, 20).gives(GOLDEN)


@given(st.integers(0, 999))
def test_a_judges_probabilities_give_its_own_number_back(mine, seed):
    rng = np.random.default_rng(seed)
    z, c, f = rng.integers(-3, 4, 12) / 2 + rng.normal(0, 0.1, 12), rng.normal() / 2, rng.normal() / 2
    call(mine.controlled, 1 / (1 + np.exp(-(c + f * z))), z, 15).gives(1 / (1 + math.exp(-c)))
