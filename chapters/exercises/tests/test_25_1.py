"""25.1: what RLHF looks for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_equal_rewards_change_nothing(mine):
    call(mine.best_policy, np.array([0.2, 0.8]), np.array([3.0, 3.0]), 0.5).gives(np.array([0.2, 0.8]))


def test_a_reward_of_beta_ln_2_doubles_the_odds(mine):
    rewards = np.array([np.log(2), 0.0])
    call(mine.best_policy, np.array([0.5, 0.5]), rewards, 1.0).gives(np.array([2 / 3, 1 / 3]))


def test_a_smaller_beta_goes_further(mine):
    rewards = np.array([np.log(2), 0.0])
    call(mine.best_policy, np.array([0.5, 0.5]), rewards, 0.5).gives(np.array([0.8, 0.2]))


def test_the_reference_counts(mine):
    rewards = np.array([np.log(3), 0.0, 0.0])
    call(mine.best_policy, np.array([0.25, 0.5, 0.25]), rewards, 1.0).gives(np.array([0.5, 1 / 3, 1 / 6]))


def test_what_the_reference_never_says_stays_unsaid(mine):
    call(mine.best_policy, np.array([0.0, 1.0]), np.array([5.0, 0.0]), 1.0).gives(np.array([0.0, 1.0]))


def test_large_rewards_do_not_overflow(mine):
    rewards = np.array([1000.0, 1000.0, 0.0])
    call(mine.best_policy, np.array([0.25, 0.25, 0.5]), rewards, 1.0).gives(np.array([0.5, 0.5, 0.0]))


@given(st.integers(2, 5), st.sampled_from([0.3, 1.0, 3.0]), st.integers(0, 9))
def test_its_implicit_reward_is_the_reward_up_to_a_constant(mine, count, beta, seed):
    rng = np.random.default_rng(seed)
    reference, rewards = rng.dirichlet(np.ones(count)), rng.integers(-3, 4, count) * 1.0
    # of two answers, beta ln p_y / reference_y differs by as much as the rewards do: so the odds are known
    odds = np.array([[b / a * np.exp((s - r) / beta) for b, s in zip(reference, rewards)]
                     for a, r in zip(reference, rewards)])  # fmt: skip
    call(mine.best_policy, reference, rewards, beta).gives(1 / odds.sum(axis=1))
