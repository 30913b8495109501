"""16.3: exposure. The last check sorts; log2 R and 0 are its ends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


def test_the_likeliest_is_exposed_wholly(mine):
    call(mine.exposure, np.array([-3.0, -0.5, -2.0, -4.0]), 1).gives(2.0)


def test_the_unlikeliest_not_at_all(mine):
    call(mine.exposure, np.array([-3.0, -0.5, -2.0, -4.0]), 3).gives(0.0)


def test_the_second_of_four(mine):
    call(mine.exposure, np.array([-3.0, -0.5, -2.0, -4.0]), 2).gives(1.0)


def test_bits_and_not_nats(mine):
    call(mine.exposure, np.array([-1.0, -2.0, -3.0]), 0).gives(np.log2(3))


def test_how_likely_does_not_matter(mine):
    call(mine.exposure, np.array([-900.0, -901.0, -902.0, -903.0]), 1).gives(1.0)


def test_a_tie_is_no_knowledge(mine):
    call(mine.exposure, np.zeros(8), 3).gives(0.0)
    call(mine.exposure, np.array([-1.0, -1.0, -5.0, -5.0]), 0).gives(1.0)
    call(mine.exposure, np.array([-1.0, -1.0, -5.0, -5.0]), 1).gives(1.0)


def test_one_candidate_is_no_secret(mine):
    call(mine.exposure, np.array([-1.0]), 0).gives(0.0)


def test_the_log_probabilities_stay_as_they_are(mine):
    log_probs = np.array([-3.0, -0.5, -2.0, -4.0])
    call(mine.exposure, log_probs, 0).gives(np.log2(4 / 3))
    call(mine.exposure, log_probs, 0).gives(np.log2(4 / 3))


@given(st.lists(st.integers(-4, 0), min_size=1, max_size=9), st.integers(0, 8))
def test_as_sorting_says(mine, scores, secret):
    secret %= len(scores)
    rank = max(place for place, score in enumerate(sorted(scores, reverse=True), 1) if score == scores[secret])
    call(mine.exposure, np.array(scores, float), secret).gives(float(np.log2(len(scores)) - np.log2(rank)))
