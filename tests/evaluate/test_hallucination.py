"""Claims about what is invented; the oracle counts one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.evaluate import invented, yes_no


def test_invented_is_the_share_of_things_named_that_are_not_there():
    # 5 named, and of them a dog and twice a cat are not there
    assert invented([["sun", "dog"], ["cat", "cat", "tree"], []], [["sun"], {"tree", "dog"}, ["cat"]]) == 3 / 5


def test_what_is_not_told_is_not_invented():
    assert invented([["sun"]], [["sun", "moon"]]) == 0


def test_who_names_nothing_gets_no_number():
    assert math.isnan(invented([[], []], [["sun"], []]))


def test_a_caption_belongs_to_a_picture():
    with pytest.raises(ShapeError, match="said"):
        invented([["sun"]], [["sun"], ["moon"]])


@given(st.integers(0, 10**6), st.integers(2, 12))
def test_yes_and_no_one_by_one(seed, N):
    rng = np.random.default_rng(seed)
    said, there = rng.random(N) < 0.6, rng.permutation([True, False] + [bool(b) for b in rng.integers(0, 2, N - 2)])
    found = yes_no(said, there)
    assert found.accuracy == pytest.approx(sum(a == b for a, b in zip(said, there)) / N)
    assert found.yes == pytest.approx(sum(bool(a) for a in said) / N)
    assert found.hits == pytest.approx(sum(bool(a and b) for a, b in zip(said, there)) / sum(map(bool, there)))
    false = [bool(a) for a, b in zip(said, there) if not b]
    assert found.invented == pytest.approx(sum(false) / len(false))


def test_who_always_says_yes_finds_all_and_invents_all():
    found = yes_no([True] * 4, [True, False, False, True])
    assert (found.accuracy, found.yes, found.hits, found.invented) == (0.5, 1, 1, 1)


@pytest.mark.parametrize(
    ("said", "there", "kind"),
    [([True], [True, False], ShapeError), ([[True]], [[True]], ShapeError), ([True, True], [True, True], ArgumentError),
     ([True, True], [False, False], ArgumentError)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(said, there, kind):
    with pytest.raises(kind):
        yes_no(said, there)
