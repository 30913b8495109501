"""28.3: typical sampling. Its golden: transformers' warper."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# surprises 0.51, 1.61, 2.30, 2.30 nats, the mean is 1.09: the distances are 0.58, 0.52, 1.21, 1.21
FOUR = np.log(np.array([0.6, 0.2, 0.1, 0.1]))
# 0.92 and six times 2.30 nats, the mean is 1.75: the distances are 0.83 and 0.55
RARE = np.log(np.array([0.4, *[0.1] * 6]))
# transformers 5.24.0: TypicalLogitsWarper(0.2), and (0.8), then softmax, float64
GOLDEN = np.array([1.0, 0, 0, 0, 0, 0]), np.array([0.26894142136999516, 0, 0, 0.7310585786300049, 0, 0])


def test_where_all_is_kept_it_is_softmax(mine):
    call(mine.shares, FOUR + 7).gives(np.array([0.6, 0.2, 0.1, 0.1]))


def test_the_likeliest_word_goes_where_it_says_too_little(mine):
    call(mine.shares, FOUR, 0.15).gives(np.array([0, 1.0, 0, 0]))


def test_of_three_in_four_and_one_in_four_the_first_is_nearer(mine):
    # surprises 0.29 and 1.39 nats, the mean is 0.56
    call(mine.shares, np.log(np.array([0.75, 0.25])), 0.1).gives(np.array([1.0, 0]))


def test_the_word_that_crosses_stays(mine):
    call(mine.shares, FOUR, 0.3).gives(np.array([0.75, 0.25, 0, 0]))


def test_rare_words_may_be_more_usual_than_the_likeliest(mine):
    call(mine.shares, RARE, 0.55).gives(np.array([0, *[1.0] * 6]) / 6)
    call(mine.shares, RARE, 0.65).gives(np.array([0.4, *[0.1] * 6]))


def test_exactly_enough_is_enough(mine):
    call(mine.shares, np.zeros(2), 0.5).then(", sorted", lambda p: np.sort(p)).gives(np.array([0.0, 1.0]))


def test_one_word_always_stays(mine):
    call(mine.shares, FOUR, 0.01).gives(np.array([0, 1.0, 0, 0]))


def test_shares_stand_where_their_words_stand(mine):
    call(mine.shares, FOUR[[3, 1, 0, 2]], 0.3).gives(np.array([0, 0.25, 0.75, 0]))


def test_large_logits_do_not_overflow(mine):
    call(mine.shares, FOUR + 1000, 0.3).gives(np.array([0.75, 0.25, 0, 0]))


def test_a_word_that_nobody_says_is_in_nobodys_way(mine):
    call(mine.shares, np.append(FOUR, -800.0), 0.15).gives(np.array([0, 1.0, 0, 0, 0]))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6, unique=True), st.sampled_from([0.11, 0.37, 0.61, 0.83]))
def test_what_is_kept_is_the_smallest_set_by_distance(mine, logits, keep):
    p = np.exp(np.array(logits) * 1.0)
    p /= p.sum()
    mean = -sum(q * np.log(q) for q in p)
    away = {i: abs(-np.log(q) - mean) for i, q in enumerate(p)}
    if len({round(a, 9) for a in away.values()}) == len(p):  # of equals any may go first
        kept = []
        for i in sorted(away, key=away.get):
            if kept and sum(p[j] for j in kept) >= keep:
                break
            kept.append(i)
        expected = np.array([q * (i in kept) for i, q in enumerate(p)]) / sum(p[i] for i in kept)
        call(mine.shares, np.array(logits) * 1.0, keep).gives(expected)


def test_as_transformers_has_it(mine):
    logits = np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0])
    call(mine.shares, logits, 0.2).gives(GOLDEN[0])
    call(mine.shares, logits, 0.8).gives(GOLDEN[1])
