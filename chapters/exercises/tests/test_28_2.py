"""28.2: the repetition penalty. Its golden: transformers' processor."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# transformers 5.24.0: RepetitionPenaltyLogitsProcessor(1.3) with the text [5, 1, 1, 0, 2], float64
GOLDEN = np.array([1.5384615384615383, -1.3, 0.3846153846153846, 3, 1, -2.6])
LOGITS = np.array([5.0, -2.0, 0.0, 3.0])


def test_a_logit_above_0_is_divided(mine):
    call(mine.penalized, LOGITS, [0], 2.0).gives(np.array([2.5, -2, 0, 3]))


def test_a_logit_below_0_falls_as_well(mine):
    call(mine.penalized, LOGITS, [1], 2.0).gives(np.array([5.0, -4, 0, 3]))


def test_a_word_that_came_often_is_penalized_once(mine):
    call(mine.penalized, LOGITS, [0, 3, 0, 0], 2.0).gives(np.array([2.5, -2, 0, 1.5]))


def test_nothing_written_changes_nothing(mine):
    call(mine.penalized, LOGITS, [], 2.0).gives(LOGITS)


def test_a_penalty_of_1_changes_nothing(mine):
    call(mine.penalized, LOGITS, [0, 1, 2, 3], 1.0).gives(LOGITS)


def test_a_penalty_below_1_rewards(mine):
    call(mine.penalized, LOGITS, [0, 1], 0.5).gives(np.array([10.0, -1, 0, 3]))


def test_the_logits_that_it_was_given_stay_as_they_are(mine):
    given_to_it = LOGITS.copy()
    call(mine.penalized, given_to_it, [0, 1], 2.0).then(", then the logits", lambda _: given_to_it).gives(LOGITS)


@given(st.lists(st.integers(-3, 3), min_size=4, max_size=4), st.lists(st.integers(0, 3), max_size=6), st.sampled_from([0.5, 1.2, 3.0]))  # fmt: skip
def test_word_by_word(mine, logits, text, penalty):
    out = [
        logit if word not in text else logit / penalty if logit > 0 else logit * penalty
        for word, logit in enumerate(logits)
    ]
    call(mine.penalized, np.array(logits) * 1.0, text, penalty).gives(np.array(out) * 1.0)


def test_as_transformers_has_it(mine):
    logits = np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0])
    call(mine.penalized, logits, [5, 1, 1, 0, 2], 1.3).gives(GOLDEN)
