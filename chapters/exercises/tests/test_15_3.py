"""15.3: the heads that look behind."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

ONE = np.array([[5, 8, 6, 5]])


def weights(B, H, T, **shares):
    made = np.zeros((B, H, T, T))
    for where, share in shares.items():
        made[tuple(map(int, where.split("_")[1:]))] = share
    return made


def test_what_stood_behind_it_the_last_time(mine):
    shares = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.5, 0.25, 0], [0.0625, 0.5, 0.25, 0.1875]]
    call(mine.induction_score, np.array([[shares]]), ONE).gives(np.array([0.5]))


def test_the_same_token_is_not_what_stood_behind_it(mine):
    call(mine.induction_score, weights(1, 1, 4, _0_0_3_0=0.75), ONE).gives(np.array([0.0]))


def test_each_head_has_a_score(mine):
    made = weights(1, 3, 4, _0_0_3_1=0.75, _0_1_3_0=1.0, _0_2_3_1=0.25, _0_2_3_2=0.5)
    call(mine.induction_score, made, ONE).gives(np.array([0.75, 0.0, 0.25]))


def test_all_earlier_places_count(mine):
    tokens = np.array([[5, 8, 5, 9, 5]])
    made = weights(1, 1, 5, _0_0_4_1=0.5, _0_0_4_3=0.25, _0_0_2_1=1.0)
    call(mine.induction_score, made, tokens).gives(np.array([(0.75 + 1.0) / 2]))


def test_a_token_that_comes_twice_in_a_row_looks_at_itself(mine):
    call(mine.induction_score, weights(1, 1, 3, _0_0_2_2=0.5), np.array([[4, 7, 7]])).gives(np.array([0.5]))


def test_the_token_itself_is_not_earlier(mine):
    call(mine.induction_score, weights(1, 1, 3, _0_0_1_2=0.5), np.array([[5, 5, 8]])).gives(np.array([0.0]))


def test_later_places_do_not_count(mine):
    call(mine.induction_score, weights(1, 1, 4, _0_0_1_3=0.5), np.array([[5, 5, 5, 8]])).gives(np.array([0.0]))


def test_what_comes_for_the_first_time_does_not_count(mine):
    made = weights(1, 1, 4, _0_0_1_1=1.0, _0_0_2_1=1.0, _0_0_3_1=0.5)
    call(mine.induction_score, made, ONE).gives(np.array([0.5]))


def test_each_token_counts_alike_and_not_each_text(mine):
    tokens = np.array([[1, 1, 1], [1, 2, 1]])
    call(mine.induction_score, weights(2, 1, 3, _1_0_2_1=0.75), tokens).gives(np.array([0.25]))


def test_another_text_is_not_earlier(mine):
    tokens = np.array([[5, 8], [5, 5]])
    call(mine.induction_score, weights(2, 1, 2, _1_0_1_1=0.5, _1_0_0_1=1.0), tokens).gives(np.array([0.5]))


def test_nothing_that_comes_again_has_no_score(mine):
    call(mine.induction_score, weights(1, 2, 3), np.array([[1, 2, 3]])).gives(np.array([np.nan, np.nan]))


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.integers(2, 6))
def test_any_texts(mine, seed, B, H, T):
    rng = np.random.default_rng(seed)
    made, tokens = rng.integers(0, 5, (B, H, T, T)) / 4, rng.integers(0, 3, (B, T))
    sums = [
        sum(made[b, :, t, s + 1] for s in range(t) if tokens[b, s] == tokens[b, t])
        for b, t in np.ndindex(B, T)
        if (tokens[b, :t] == tokens[b, t]).any()
    ]
    call(mine.induction_score, made, tokens).gives(np.mean(sums, 0) if sums else np.full(H, np.nan))
