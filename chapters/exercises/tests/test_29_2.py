"""29.2: the best of n. Its property: all sequences of n draws, one by one."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

P = np.array([0.5, 0.3, 0.2])


def test_of_one_it_is_the_model(mine):
    call(mine.best_of_n_probabilities, P, [1.0, 3.0, 2.0], 1).gives(P)


def test_of_two_by_hand(mine):
    # the worst has to come twice; the best must not come at all, or it is kept: 1 - 0.7²
    call(mine.best_of_n_probabilities, P, [1.0, 3.0, 2.0], 2).gives(np.array([0.25, 0.51, 0.24]))


def test_where_all_are_worth_the_same_nothing_changes(mine):
    call(mine.best_of_n_probabilities, P, [2.0, 2.0, 2.0], 5).gives(P)


def test_equals_share_by_their_probabilities(mine):
    # the two best come with 1 - 0.5³, and share it 3 : 2
    call(mine.best_of_n_probabilities, P, [0.0, 1.0, 1.0], 3).gives(np.array([0.125, 0.525, 0.35]))


def test_rewards_below_0_are_rewards(mine):
    call(mine.best_of_n_probabilities, P, [-3.0, -1.0, -2.0], 2).gives(np.array([0.25, 0.51, 0.24]))


def test_only_the_order_of_rewards_matters(mine):
    call(mine.best_of_n_probabilities, P, [0.1, 1000.0, 0.2], 2).gives(np.array([0.25, 0.51, 0.24]))


def test_what_is_never_drawn_is_never_kept(mine):
    call(mine.best_of_n_probabilities, np.array([0.5, 0.0, 0.5]), [1.0, 3.0, 2.0], 2).gives(np.array([0.25, 0.0, 0.75]))


@given(st.lists(st.integers(0, 2), min_size=2, max_size=4), st.integers(1, 3))
def test_against_all_that_can_be_drawn(mine, rewards, n):
    p = np.arange(1, len(rewards) + 1) / sum(range(1, len(rewards) + 1))
    kept = np.zeros(len(p))
    for draws in product(range(len(p)), repeat=n):
        kept[max(draws, key=lambda i: rewards[i])] += np.prod(p[list(draws)])
    call(mine.best_of_n_probabilities, p, [float(r) for r in rewards], n).gives(kept)
