"""28.1: min-p. Its golden: transformers' two warpers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# transformers 5.24.0: MinPLogitsWarper(0.1) after TemperatureLogitsWarper(1.5), then softmax, float64
GOLDEN = np.array([0.26116270778072964, 0, 0.09607639099319551, 0.508675496198542, 0.1340854050275329, 0])
HALF = np.log(np.array([0.5, 0.25, 0.15, 0.1]))  # any multiple of p is as good


def test_at_0_all_words_remain(mine):
    call(mine.shares, HALF + 7).gives(np.array([0.5, 0.25, 0.15, 0.1]))


def test_what_is_far_less_likely_than_the_likeliest_goes(mine):
    # the bound is 0.25 times 0.5
    call(mine.shares, HALF, 1.0, 0.25).gives(np.array([0.5, 0.25, 0.15, 0]) / 0.9)


def test_where_no_word_is_likely_many_remain(mine):
    # a hundred words of 1 % each: all are as likely as the likeliest
    call(mine.shares, np.zeros(100), 1.0, 0.5).gives(np.full(100, 0.01))


def test_exactly_as_likely_as_the_bound_is_enough(mine):
    call(mine.shares, np.zeros(3), 1.0, 1.0).gives(np.ones(3) / 3)


def test_the_temperature_comes_first(mine):
    # at 1/2 shares are squared: 25 to 6.25 is a quarter, 25 to 2.25 is 0.09, 25 to 1 is 0.04
    call(mine.shares, HALF, 0.5, 0.05).gives(np.array([25, 6.25, 2.25, 0]) / 33.5)


def test_shares_stand_where_their_words_stand(mine):
    call(mine.shares, HALF[[3, 1, 0, 2]], 1.0, 0.25).gives(np.array([0, 0.25, 0.5, 0.15]) / 0.9)


def test_large_logits_do_not_overflow(mine):
    call(mine.shares, HALF + 1000, 1.0, 0.25).gives(np.array([0.5, 0.25, 0.15, 0]) / 0.9)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=6), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([0.0, 0.05, 0.3, 0.9]))  # fmt: skip
def test_word_by_word(mine, logits, temperature, min_p):
    weights = [np.exp((logit - max(logits)) / temperature) for logit in logits]
    kept = [weight if weight >= min_p else 0.0 for weight in weights]
    call(mine.shares, np.array(logits) * 1.0, temperature, min_p).gives(np.array(kept) / sum(kept))


def test_as_transformers_has_it(mine):
    logits = np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0])
    call(mine.shares, logits, 1.5, 0.1).gives(GOLDEN)
