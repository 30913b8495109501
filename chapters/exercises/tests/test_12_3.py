"""12.3: temperature and top-p. Its golden: transformers' two warpers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

HALF = np.log(np.array([0.5, 0.3, 0.15, 0.05]))  # any multiple of p is as good


def test_at_temperature_1_it_is_softmax(mine):
    call(mine.shares, HALF + 7).gives(np.array([0.5, 0.3, 0.15, 0.05]))


def test_a_low_temperature_makes_the_likely_likelier(mine):
    # at 1/2 shares are squared: 9 to 1 becomes 81 to 1
    call(mine.shares, np.log(np.array([9.0, 1.0])), 0.5).gives(np.array([81.0, 1.0]) / 82)


def test_a_high_temperature_makes_all_more_even(mine):
    call(mine.shares, np.log(np.array([9.0, 1.0])), 2.0).gives(np.array([0.75, 0.25]))


def test_the_word_that_crosses_p_stays(mine):
    call(mine.shares, HALF, 1.0, 0.7).gives(np.array([5, 3, 0, 0]) / 8)


def test_not_one_word_more_than_it_takes(mine):
    call(mine.shares, HALF, 1.0, 0.9).gives(np.array([50, 30, 15, 0]) / 95)


def test_exactly_enough_is_enough(mine):
    call(mine.shares, np.zeros(2), 1.0, 0.5).then(", sorted", lambda p: np.sort(p)).gives(np.array([0.0, 1.0]))


def test_the_most_likely_word_always_stays(mine):
    call(mine.shares, HALF, 1.0, 0.01).gives(np.array([1.0, 0, 0, 0]))


def test_shares_stand_where_their_words_stand(mine):
    call(mine.shares, HALF[[3, 1, 0, 2]], 1.0, 0.7).gives(np.array([0, 3, 5, 0]) / 8)


def test_the_temperature_comes_first(mine):
    # at 1/2 the first has 0.25 of 0.365, 0.68: enough for 0.6
    call(mine.shares, HALF, 0.5, 0.6).gives(np.array([1.0, 0, 0, 0]))


def test_large_logits_do_not_overflow(mine):
    call(mine.shares, HALF + 1000, 1.0, 0.7).gives(np.array([5, 3, 0, 0]) / 8)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=6, unique=True), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([0.1, 0.37, 0.61, 0.83, 1.0]))  # fmt: skip
def test_what_is_kept_is_the_smallest_set_that_holds_p(mine, logits, temperature, top_p):
    weights = {i: np.exp(logit / temperature) for i, logit in enumerate(logits)}
    total, kept = sum(weights.values()), []
    for i in sorted(weights, key=weights.get, reverse=True):
        if kept and sum(weights[j] for j in kept) >= top_p * total:
            break
        kept.append(i)
    expected = np.array([weights[i] * (i in kept) for i in range(len(logits))]) / sum(weights[i] for i in kept)
    call(mine.shares, np.array(logits) * 1.0, temperature, top_p).gives(expected)


def test_as_transformers_has_it(mine):
    # transformers 5.24.0: TopPLogitsWarper(0.95) after TemperatureLogitsWarper(0.7), then softmax, float64
    logits = np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0])
    expected = np.array([0.1847614341502957, 0, 0, 0.7709602966611171, 0.04427826918858728, 0])
    call(mine.shares, logits, 0.7, 0.95).gives(expected)
