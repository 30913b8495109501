"""Test items in training text: shared runs of words, counted as a search counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.decontaminate import RUN, contaminated, overlaps, runs_of
from tinygrad_llm.errors import ArgumentError

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=4)


def test_runs_are_of_words_alone():
    assert runs_of('A "b", c! 7', 2) == {("a", "b"), ("b", "c"), ("c", "7")} and runs_of("a b", 3) == set()
    assert RUN == 13 and len(runs_of(" ".join(map(str, range(20))))) == 8
    with pytest.raises(ArgumentError, match="n: expected a whole number of at least 1"):
        runs_of("a", 0)


def test_the_share_of_an_items_runs_by_hand():
    assert overlaps(["x a b c y", "nothing"], ["a b c d", "c y", "a"], 2) == [{0: 2 / 3, 1: 1.0}, {}]


@given(TEXTS, TEXTS, st.integers(1, 3))
def test_overlaps_are_those_of_a_search(texts, items, n):
    found = overlaps(texts, items, n)
    for text, shares in zip(texts, found):
        for number, item in enumerate(items):
            runs = {tuple(item.split()[i : i + n]) for i in range(len(item.split()) - n + 1)}
            shared = [run for run in runs if f" {' '.join(run)} " in f" {text} "]
            assert shares.get(number, 0) == (pytest.approx(len(shared) / len(runs)) if shared else 0)


def test_a_text_is_contaminated_from_a_share_on():
    texts, items = ["a b c", "a b x", "x y z", ""], ["a b c d"]  # 2 of 3 runs, 1 of 3, none
    assert contaminated(texts, items, 2) == [0, 1] and contaminated(texts, items, 2, 0.5) == [0]
    assert contaminated(texts, items, 2, 2 / 3) == [0] and contaminated(texts, [], 2) == []
    assert contaminated(["", "q"], items, 2, 0.0) == []
    assert contaminated(["a b c"], ["a b x", "b c y"], 2, 0.6) == []  # half of each: shares of two items do not add up
