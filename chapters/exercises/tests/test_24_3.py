"""24.3: better than expected, token by token."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import align
from tinygrad_llm.course.exercises.calls import call

ALL = np.array([[True, True, True]])


def test_two_tokens_by_hand(mine):
    rewards, values = np.array([[1.0, 5.0]]), np.array([[2.0, 3.0]])  # better than expected by 1 + 3 - 2, by 5 - 3
    wanted = np.array([[4.0, 2.0]]), np.array([[6.0, 5.0]])
    call(mine.gae, rewards, values, ALL[:, :2], lam=1.0).gives(wanted)


def test_lam_makes_what_is_further_away_count_less(mine):
    rewards, values = np.array([[0.0, 0.0, 8.0]]), np.array([[0.0, 2.0, 4.0]])  # deltas 2, 2 and 4
    wanted = np.array([[4.0, 4.0, 4.0]]), np.array([[4.0, 6.0, 8.0]])
    call(mine.gae, rewards, values, ALL, lam=0.5).gives(wanted)


def test_without_lam_each_token_stands_alone(mine):
    rewards, values = np.array([[0.0, 0.0, 8.0]]), np.array([[0.0, 2.0, 4.0]])
    wanted = np.array([[2.0, 2.0, 4.0]]), np.array([[2.0, 4.0, 8.0]])
    call(mine.gae, rewards, values, ALL, lam=0.0).gives(wanted)


def test_gamma_makes_both_worth_less(mine):
    rewards, values = np.array([[0.0, 8.0]]), np.array([[1.0, 4.0]])  # deltas 0.5 · 4 - 1 and 4
    wanted = np.array([[3.0, 4.0]]), np.array([[4.0, 8.0]])
    call(mine.gae, rewards, values, ALL[:, :2], gamma=0.5, lam=1.0).gives(wanted)


def test_behind_the_last_token_nothing_is_expected(mine):
    mask = np.array([[False, True, True, False], [True, True, False, False]])
    rewards = np.array([[9.0, 0.0, 1.0, 9.0], [0.0, 1.0, 9.0, 9.0]])
    values = np.array([[9.0, 0.5, 0.5, 9.0], [0.5, 0.5, 9.0, 9.0]])
    advantages = np.array([[0, 0.5, 0.5, 0], [0.5, 0.5, 0, 0]])
    call(mine.gae, rewards, values, mask, lam=1.0).gives((advantages, np.where(mask, 1.0, 0.0)))


def test_what_stands_outside_is_not_even_read(mine):
    nan, mask = np.nan, np.array([[False, True, True, False], [True, False, False, False]])
    rewards = np.array([[nan, 0.0, 1.0, nan], [2.0, nan, nan, nan]])
    values = np.array([[nan, 3.0, 5.0, nan], [5.0, nan, nan, nan]])  # deltas 2 and -4; -3
    wanted = np.array([[0, 0, -4.0, 0], [-3.0, 0, 0, 0]]), np.array([[0, 3.0, 1.0, 0], [2.0, 0, 0, 0]])
    call(mine.gae, rewards, values, mask, lam=0.5).gives(wanted)


@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.5, 1.0]),
    st.integers(0, 9),
)
def test_the_package_says_the_same(mine, count, longest, lam, gamma, seed):
    rng = np.random.default_rng(seed)
    begin, end = np.sort(rng.integers(0, longest + 1, (2, count)), axis=0)
    mask = (np.arange(longest) >= begin[:, None]) & (np.arange(longest) < end[:, None])
    rewards, values = np.where(mask, rng.integers(-3, 4, (2, count, longest)), np.nan)
    wanted = align.gae(rewards, values, mask, gamma=gamma, lam=lam)
    call(mine.gae, rewards, values, mask, gamma=gamma, lam=lam).gives(wanted)
