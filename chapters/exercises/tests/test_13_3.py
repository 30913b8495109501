"""13.3: a step of the beam."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

IMPOSSIBLE = -np.inf


def test_from_one_beginning_the_likeliest_words(mine):
    call(mine.best_extensions, np.array([0.0]), np.array([[-3.0, -1.0, -2.0]]), 2).gives(
        (np.array([0, 0]), np.array([1, 2]), np.array([-1.0, -2.0]))
    )


def test_what_came_before_counts(mine):
    # the second beginning is unlikely, its best word cannot make up for that
    call(mine.best_extensions, np.array([-1.0, -9.0]), np.array([[-2.0, -3.0], [-0.5, -4.0]]), 2).gives(
        (np.array([0, 0]), np.array([0, 1]), np.array([-3.0, -4.0]))
    )


def test_one_beginning_may_have_all_the_best(mine):
    call(mine.best_extensions, np.array([-4.0, -1.0]), np.array([[-1.0, -2.0], [-1.0, -1.5]]), 3).gives(
        (np.array([1, 1, 0]), np.array([0, 1, 0]), np.array([-2.0, -2.5, -5.0]))
    )


def test_of_equals_the_earlier_beginning_then_the_smaller_word(mine):
    call(mine.best_extensions, np.array([-1.0, 0.0]), np.array([[-1.0, -1.0], [-2.0, -1.0]]), 4).gives(
        (np.array([1, 0, 0, 1]), np.array([1, 0, 1, 0]), np.array([-1.0, -2.0, -2.0, -2.0]))
    )


def test_what_is_impossible_is_no_extension(mine):
    call(mine.best_extensions, np.array([0.0]), np.array([[IMPOSSIBLE, -1.0]]), 2).gives(
        (np.array([0]), np.array([1]), np.array([-1.0]))
    )


def test_there_may_be_fewer_than_asked_for(mine):
    call(mine.best_extensions, np.array([0.0]), np.array([[-2.0, -1.0]]), 5).gives(
        (np.array([0, 0]), np.array([1, 0]), np.array([-1.0, -2.0]))
    )


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(0, 99))
def test_it_is_the_head_of_the_sorted_list_of_all(mine, beginnings, words, width, seed):
    rng = np.random.default_rng(seed)
    total, logp = -rng.integers(0, 4, beginnings) * 1.0, -rng.integers(0, 4, (beginnings, words)) * 1.0
    every = sorted((-(total[i] + logp[i, v]), i, v) for i in range(beginnings) for v in range(words))[:width]
    call(mine.best_extensions, total, logp, width).gives(
        (np.array([i for _, i, _ in every]), np.array([v for _, _, v in every]), np.array([-s for s, _, _ in every]))
    )
