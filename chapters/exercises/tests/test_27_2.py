"""27.2: filter, then rank. Its golden: request by request, with Python's max."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_the_best_of_those_that_are_allowed(mine):
    # the best of all, 9, is not allowed
    call(mine.best_allowed, np.array([1.0, 9.0, 4.0]), np.array([True, False, True]), 3).gives(np.array([2]))


def test_rows_are_counted_through_all_requests(mine):
    rewards = np.array([1.0, 2.0, 5.0, 3.0, 0.0, 7.0])
    call(mine.best_allowed, rewards, np.full(6, True), 2).gives(np.array([1, 2, 5]))


def test_minus_one_where_none_is_allowed(mine):
    rewards, allowed = np.array([1.0, 2.0, 5.0, 3.0]), np.array([False, False, True, False])
    call(mine.best_allowed, rewards, allowed, 2).gives(np.array([-1, 2]))


def test_rewards_may_be_below_nothing(mine):
    rewards, allowed = np.array([-3.0, -2.0, -5.0]), np.array([True, False, True])
    call(mine.best_allowed, rewards, allowed, 3).gives(np.array([0]))


def test_of_equals_the_first(mine):
    rewards, allowed = np.array([4.0, 4.0, 4.0, 1.0]), np.array([False, True, True, True])
    call(mine.best_allowed, rewards, allowed, 4).gives(np.array([1]))


def test_one_answer_each(mine):
    call(mine.best_allowed, np.array([0.5, 0.1]), np.array([False, True]), 1).gives(np.array([-1, 1]))


@given(st.integers(1, 3), st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=6, max_size=6))
def test_request_by_request(mine, n, drawn):
    expected = []
    for begin in range(0, 6, n):
        passing = [row for row in range(begin, begin + n) if drawn[row][1]]
        expected.append(max(passing, key=lambda row: drawn[row][0], default=-1))
    rewards, allowed = np.array([reward for reward, _ in drawn]) * 1.0, np.array([passes for _, passes in drawn])
    call(mine.best_allowed, rewards, allowed, n).gives(np.array(expected))
