"""Claims about the recall task."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.recall import recall_batch, recall_vocab_size
from tinygrad_llm.errors import ArgumentError

sizes = st.integers(1, 6)


@given(batch=sizes, distance=st.integers(0, 6), symbols=sizes, fillers=sizes, seed=st.integers(0, 99))
def test_a_symbol_then_fillers_then_the_question(batch, distance, symbols, fillers, seed):
    tokens, targets = recall_batch(np.random.default_rng(seed), batch, distance, symbols, fillers)
    assert tokens.shape == (batch, distance + 2) and targets.shape == (batch,)
    assert tokens.dtype == targets.dtype == np.int64
    np.testing.assert_array_equal(tokens[:, 0], targets)
    assert targets.min() >= 0 and targets.max() < symbols
    between = tokens[:, 1:-1]
    assert ((between >= symbols) & (between < symbols + fillers)).all()
    assert (tokens[:, -1] == symbols + fillers).all()
    assert tokens.max() == recall_vocab_size(symbols, fillers) - 1


def test_every_symbol_and_every_filler_is_drawn_alike():
    tokens, targets = recall_batch(np.random.default_rng(0), 4000, 2)
    for drawn, expected in ((targets, 500), (tokens[:, 1] - 8, 500), (tokens[:, 2] - 8, 500)):
        counts = np.bincount(drawn, minlength=8)
        assert len(counts) == 8
        assert ((counts - expected) ** 2 / expected).sum() < 24.3  # chi-square, 7 degrees: one in a thousand


def test_the_fillers_say_nothing_about_the_answer():
    tokens, targets = recall_batch(np.random.default_rng(1), 16_000, 1)
    pairs = np.bincount(8 * targets + tokens[:, 1] - 8, minlength=64)
    assert ((pairs - 250) ** 2 / 250).sum() < 103.4  # chi-square, 63 degrees: one in a thousand


def test_the_targets_are_an_array_of_their_own():
    tokens, targets = recall_batch(np.random.default_rng(0), 3, 2)
    targets[:] = -1
    assert (tokens >= 0).all()


def test_a_batch_follows_from_its_generator():
    first, again, other = (recall_batch(np.random.default_rng(seed), 50, 5)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "bad", [{"batch": 0}, {"symbols": 0}, {"fillers": 0}, {"distance": -1}, {"batch": 1.5}, {"distance": 2.0}]
)
def test_impossible_sizes_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        recall_batch(np.random.default_rng(0), **({"batch": 2, "distance": 3} | bad))
