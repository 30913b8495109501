"""07.3: take a little from those who have."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.models.ngram import NGram

THIRD = np.full(3, 1 / 3)


def test_what_was_seen_gives_a_little_to_what_was_not(mine):
    # 0.5 from each of two leaves 2.5 and 0.5; the 1 that is saved is shared by three
    call(mine.discounted, np.array([3.0, 1.0, 0.0]), THIRD, 0.5).gives(np.array([2.5 + 1 / 3, 0.5 + 1 / 3, 1 / 3]) / 4)


def test_it_is_shared_as_the_shorter_context_would(mine):
    shorter = np.array([0.0, 0.2, 0.8])
    call(mine.discounted, np.array([2.0, 0.0, 0.0]), shorter, 0.5).gives(np.array([1.5, 0.1, 0.4]) / 2)


def test_without_a_discount_it_only_counts(mine):
    call(mine.discounted, np.array([3.0, 1.0, 0.0]), THIRD, 0.0).gives(np.array([0.75, 0.25, 0.0]))


def test_a_whole_count_taken_from_each(mine):
    call(mine.discounted, np.array([1.0, 1.0, 0.0]), THIRD, 1.0).gives(THIRD)


def test_a_context_that_nothing_followed(mine):
    call(mine.discounted, np.zeros(3), np.array([0.5, 0.25, 0.25]), 0.7).gives(np.array([0.5, 0.25, 0.25]))


@given(st.lists(st.integers(0, 4), min_size=3, max_size=3), st.integers(0, 4))
def test_shares_sum_to_1(mine, counts, quarters):
    made = call(mine.discounted, np.array(counts, float), np.array([0.5, 0.25, 0.25]), quarters / 4)
    made.then(".sum()", np.sum).gives(1.0)


def test_applied_twice_it_is_the_package_s_bigram(mine):
    text = np.array([0, 1, 2, 0, 2, 1, 0, 1, 1, 0])
    model = NGram(2, 3).fit(text)
    different_before = np.array([2.0, 3.0, 2.0])  # 0 came after 1 and 2; 1 after 0, 1, 2; 2 after 0 and 1
    after_0 = np.array([0.0, 2.0, 1.0])
    shorter = mine.discounted(different_before, THIRD, model.levels[0].discount)
    expected = np.array([model.probabilities(np.array([0, w]))[1] for w in range(3)])
    call(mine.discounted, after_0, shorter, model.levels[1].discount).gives(expected)
