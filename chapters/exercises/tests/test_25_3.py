"""25.3: pairs from what a model wrote."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import align
from tinygrad_llm.course.exercises.calls import call


def test_the_best_and_the_worst_of_one_question(mine):
    call(mine.best_and_worst, np.array([1.0, 5.0, 3.0, 0.0]), 4).gives((np.array([1]), np.array([3])))


def test_places_are_those_of_the_whole_array(mine):
    rewards = np.array([0.0, 1.0, 7.0, 2.0])
    call(mine.best_and_worst, rewards, 2).gives((np.array([1, 2]), np.array([0, 3])))


def test_where_all_are_alike_nothing_is_preferred(mine):
    rewards = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    call(mine.best_and_worst, rewards, 3).gives((np.array([4]), np.array([3])))


def test_of_equals_the_first_is_taken(mine):
    rewards = np.array([2.0, 5.0, 5.0, 2.0])
    call(mine.best_and_worst, rewards, 4).gives((np.array([1]), np.array([0])))


def test_nothing_is_left_of_equals(mine):
    call(mine.best_and_worst, np.array([3.0, 3.0]), 2).gives((np.array([], int), np.array([], int)))


@given(st.integers(1, 4), st.integers(2, 4), st.integers(0, 9))
def test_the_package_says_the_same(mine, questions, n, seed):
    rewards = np.random.default_rng(seed).integers(0, 3, questions * n) * 1.0
    call(mine.best_and_worst, rewards, n).gives(align.best_and_worst(rewards, n))
