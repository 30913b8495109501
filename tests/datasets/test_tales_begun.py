"""A tale's beginning has the probability of all tales that begin so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.datasets.tales import derivations, draw
from tinygrad_llm.datasets.tales_begun import begins


def tale(seed):
    return draw(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(2))
def test_a_whole_tale_begins_with_itself_as_often_as_it_is_told(seed):
    story, log_p = tale(seed)
    assert begins(story.text) == pytest.approx(math.exp(log_p), rel=1e-9)
    assert begins(story.text) == pytest.approx(sum(derivations(story.text)), rel=1e-9)
    assert begins(story.text + " And") == 0


def test_what_may_follow_a_beginning_shares_its_probability():
    text = tale(3)[0].text
    letters = "".join(map(chr, range(32, 127)))
    for end in (0, 1, 6, 18):
        assert sum(begins(text[:end] + letter) for letter in letters) == pytest.approx(begins(text[:end]), rel=1e-9)
    assert begins("") == 1


def test_a_changed_word_is_rejected_and_so_is_a_wrong_pronoun_or_a_friend_who_is_another():
    story = "One sunny morning, Lily went to the harbor with her red kite. Tom was there already, playing with a cat."
    assert begins(story) > 0
    for right, wrong in (
        ("sunny", "sun"),
        ("her red", "his red"),
        ("Tom was", "Lily was"),
        ("a cat", "the cat"),
        ("harbor", "kite"),
        (", Lily", " Lily"),
    ):
        assert begins(story.replace(right, wrong, 1)) == 0
    said = story + ' "I have waited for you," said '
    assert begins(said + "Tom.") > 0 == begins(said + "Ben.")


def test_beginnings_are_as_frequent_as_probable():
    drawn = [tale(seed)[0].text for seed in range(400)]
    for text in ("One ", "It was a sunny", "Lily woke", "On a "):
        p = begins(text)
        assert abs(sum(t.startswith(text) for t in drawn) - 400 * p) < 4 * math.sqrt(400 * p * (1 - p)) + 1
