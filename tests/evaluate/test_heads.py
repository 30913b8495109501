"""Claims about the induction score; the oracle is its definition, read token by token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ShapeError
from tinygrad_llm.evaluate import induction_score


def by_definition(weights, tokens):
    shares = []
    for b, row in enumerate(tokens):
        for t, token in enumerate(row):
            earlier = [s for s in range(t) if row[s] == token]
            if earlier:
                shares.append([sum(head[t, s + 1] for s in earlier) for head in weights[b]])
    return np.mean(shares, 0) if shares else np.full(weights.shape[1], np.nan)


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 7))
def test_it_is_the_mean_of_the_definition(seed, B, H, T):
    rng = np.random.default_rng(seed)
    weights, tokens = rng.random((B, H, T, T)), rng.integers(0, 4, (B, T))
    np.testing.assert_allclose(induction_score(weights, tokens), by_definition(weights, tokens), rtol=1e-12)


def test_a_head_that_looks_behind_the_last_time_has_one_and_one_that_looks_at_it_has_none():
    tokens = np.array([[5, 8, 6, 5]])
    weights = np.zeros((1, 2, 4, 4))
    weights[0, 0, 3, 1] = weights[0, 1, 3, 0] = 1
    assert induction_score(weights, tokens).tolist() == [1, 0]


def test_rows_count_by_what_comes_again_in_them_and_not_each_alike():
    tokens = np.array([[1, 1, 1], [1, 2, 1]])  # two that come again, and one
    weights = np.zeros((2, 1, 3, 3))
    weights[1, 0, 2, 1] = 1
    assert induction_score(weights, tokens) == pytest.approx(1 / 3)


def test_nothing_that_comes_again_gives_no_number():
    assert np.isnan(induction_score(np.ones((1, 2, 3, 3)), np.array([[1, 2, 3]]))).all()


@pytest.mark.parametrize(
    "weights, tokens", [((2, 1, 3, 3), (1, 3)), ((1, 1, 3, 4), (1, 3)), ((1, 1, 2, 3), (1, 3)), ((1, 3, 3), (1, 3)), ((1, 1, 3, 3), (3,))]
)  # fmt: skip
def test_what_does_not_fit_is_refused(weights, tokens):
    with pytest.raises(ShapeError, match=r"weights: expected \(B, H, T, T\) for tokens"):
        induction_score(np.ones(weights), np.ones(tokens, int))
