"""Claims about counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, TokenError
from tinygrad_llm.models.ngram import NGram

texts = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array)


@given(text=texts, order=st.integers(1, 4), context=st.lists(st.integers(0, 3), max_size=4))
def test_probabilities_over_the_vocabulary_add_up_to_one(text, order, context):
    model = NGram(order, 4).fit(text)
    total = sum(model.probabilities(np.array([*context, w]))[-1] for w in range(4))
    assert total == pytest.approx(1, abs=1e-12)


def by_hand(text, order, vocabulary):
    """Kneser-Ney from dictionaries, straight from the formula."""

    def counts(length):
        grams = [tuple(text[i : i + length + 1]) for i in range(len(text) - length)]
        if length == order - 1 or len(text) <= length + 1:
            return {g: grams.count(g) for g in set(grams)}
        longer = {tuple(text[i : i + length + 2]) for i in range(len(text) - length - 1)}
        kept = [g[1:] for g in longer]
        return {g: kept.count(g) for g in set(kept)}

    tables = [counts(length) for length in range(order)]

    def p(context, w):
        if context is None:
            return 1 / vocabulary
        table = tables[len(context)]
        followers = {g: n for g, n in table.items() if g[:-1] == context}
        shorter = p(context[1:] if context else None, w)
        if not followers:
            return shorter
        n1, n2 = (1 + list(table.values()).count(k) for k in (1, 2))
        d = n1 / (n1 + 2 * n2)
        total = sum(followers.values())
        return (max(followers.get((*context, w), 0) - d, 0) + d * len(followers) * shorter) / total

    return p


@given(text=texts, probe=st.lists(st.integers(0, 3), min_size=1, max_size=8), order=st.integers(1, 3))
def test_probabilities_are_those_of_the_formula(text, probe, order):
    found = NGram(order, 4).fit(text).probabilities(np.array(probe))
    p = by_hand(text.tolist(), order, 4)
    for i, w in enumerate(probe):
        context = tuple(probe[max(0, i - order + 1) : i])
        assert found[i] == pytest.approx(p(context, w), abs=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_every_level_counts_what_stood_before(order):
    """Of contexts between none and all, the formula counts different words, not occurrences."""
    text = np.random.default_rng(order).choice(4, 60, p=[0.5, 0.25, 0.15, 0.1])
    found, p = NGram(order, 4).fit(text).probabilities(text), by_hand(text.tolist(), order, 4)
    for i, w in enumerate(text.tolist()):
        assert found[i] == pytest.approx(p(tuple(text[max(0, i - order + 1) : i].tolist()), w), abs=1e-12)


def test_more_context_helps_where_it_tells():
    text = np.array([0, 1, 2, 0, 2, 1] * 50)
    losses = [NGram(order, 3).fit(text).cross_entropy(text) for order in (1, 2, 3)]
    assert losses[0] == pytest.approx(np.log(3), abs=0.01) and losses[0] > losses[1] > losses[2]


def test_nothing_is_impossible():
    assert np.isfinite(NGram(5, 9).fit(np.arange(9)).cross_entropy(np.arange(9)[::-1]))


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(DataError):
        NGram(2, 4).fit(np.array([]))
    for order, vocabulary in ((0, 4), (2, 0), (5, 50_000), (1.5, 4), (2.0, 4), (2, 4.0), ("2", 4), (2, None)):
        with pytest.raises(ArgumentError):
            NGram(order, vocabulary)


@pytest.mark.parametrize("ids", [[7, -1], [0, 5], [-1], [0, 1, 2**40]], ids=str)
def test_ids_outside_the_vocabulary_have_no_probability_and_are_not_counted(ids):
    model = NGram(2, 5).fit(np.zeros(9, int))
    for what in (model.probabilities, model.cross_entropy, NGram(2, 5).fit):
        with pytest.raises(TokenError, match="0 to 4"):
            what(np.array(ids))
        with pytest.raises(ArgumentError, match="whole numbers"):
            what(np.array([0.5, 1]))


def test_the_cross_entropy_is_the_mean_over_every_token_in_nats():
    model = NGram(3, 5).fit(np.random.default_rng(0).integers(0, 5, 200))
    for text in (np.array([3]), np.array([0, 4, 1]), np.random.default_rng(1).integers(0, 5, 50)):
        each = [-math.log(p) for p in model.probabilities(text)]
        assert len(each) == len(text) and model.cross_entropy(text) == pytest.approx(sum(each) / len(text), rel=1e-12)


def test_the_longest_context_is_one_of_63_bits():
    text = np.random.default_rng(0).integers(0, 2, 200)
    assert np.isfinite(NGram(63, 2).fit(text).cross_entropy(text))
    with pytest.raises(ArgumentError, match="at most 63"):
        NGram(64, 2)
