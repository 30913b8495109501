"""30.3: the paired bootstrap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

ALL = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # every draw of two examples
HARD, EASY = np.array([1.0, 9.0]), np.array([0.0, 8.0])


def test_the_same_system_twice_is_no_difference(mine):
    call(mine.paired_p, HARD, HARD, ALL).gives(1.0)


def test_what_is_hard_for_both_falls_out(mine):
    # always better by 1: d = 1 and d* = 1 in each draw, so no draw is as far from d as d is from 0
    call(mine.paired_p, HARD, EASY, ALL).gives(1 / 5)


def test_a_case_counted_by_hand(mine):
    # differences 3 and 1: d = 2, d* = 3, 2, 2, 1, and none of them 2 away
    call(mine.paired_p, np.array([3.0, 1.0]), np.zeros(2), ALL).gives(1 / 5)
    # differences 3 and -1: d = 1, d* = 3, 1, 1, -1: two of four are at least 1 away
    call(mine.paired_p, np.array([3.0, -1.0]), np.zeros(2), ALL).gives(3 / 5)


def test_both_directions_count(mine):
    # differences 4 and -2: d = 1; d* = 4 and -2 are 3 away, one above and one below
    call(mine.paired_p, np.array([4.0, 0.0]), np.array([0.0, 2.0]), ALL).gives(3 / 5)
    call(mine.paired_p, np.array([4.0, -2.0]), np.zeros(2), ALL[:1]).gives(1.0)
    call(mine.paired_p, np.array([4.0, -2.0]), np.zeros(2), ALL[3:]).gives(1.0)


def test_who_is_named_first_does_not_count(mine):
    call(mine.paired_p, np.array([0.0, 0.0]), np.array([3.0, 1.0]), ALL).gives(1 / 5)
    call(mine.paired_p, np.array([0.0, 0.0]), np.array([3.0, -1.0]), ALL).gives(3 / 5)


def test_as_far_counts_as_far(mine):
    # differences 1 and 0: d = 1/2, and d* = 0 is exactly as far
    call(mine.paired_p, np.array([1.0, 0.0]), np.zeros(2), ALL[3:]).gives(1.0)


def test_never_0(mine):
    call(mine.paired_p, np.ones(3), np.zeros(3), np.zeros((9, 3), int)).gives(1 / 10)


@given(st.integers(0, 999), st.sampled_from([1, 2, 4]), st.integers(1, 6))  # what floats divide by without rounding
def test_draw_by_draw(mine, seed, examples, count):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(-3, 4, (2, examples)).astype(float)
    draws = rng.integers(0, examples, (count, examples))
    d = sum(first) / examples - sum(second) / examples
    far = 0
    for draw in draws:
        drawn = sum(first[i] for i in draw) / examples - sum(second[i] for i in draw) / examples
        far += abs(drawn - d) >= abs(d)
    call(mine.paired_p, first, second, draws).gives((1 + far) / (1 + count))
