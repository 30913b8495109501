"""Claims about recall at k; the oracle sorts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, ConfigError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import recall_at


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_it_is_the_share_of_rows_that_find_their_own_among_the_best(seed, N, k):
    k = min(k, N)
    scores = np.random.default_rng(seed).integers(0, 4, (N, N)) * 1.0
    found = 0
    for i in range(N):
        order = sorted(range(N), key=lambda j: (-scores[i, j], j == i))  # of equals one's own is the last
        found += i in order[:k]
    assert recall_at(scores, k) == found / N


def test_a_tie_finds_nothing():
    assert recall_at(np.zeros((3, 3))) == 0 and recall_at(np.zeros((3, 3)), 3) == 1


def test_the_other_way_is_the_transpose():
    scores = np.array([[1.0, 0.0], [2.0, 3.0]])
    assert recall_at(scores) == 1 and recall_at(scores.T) == 0.5


@pytest.mark.oracle
@pytest.mark.parametrize("k", [1, 2, 5])
def test_as_torch_finds_them(k):
    torch = pytest.importorskip("torch")
    scores = np.random.default_rng(k).normal(size=(20, 20))
    best = torch.topk(torch.tensor(scores), k, dim=1).indices
    assert recall_at(scores, k) == (best == torch.arange(20)[:, None]).any(1).double().mean().item()


@pytest.mark.parametrize(
    ("scores", "k", "kind"),
    [
        (np.ones((2, 3)), 1, ShapeError), (np.ones(3), 1, ShapeError), (np.ones((0, 0)), 1, ShapeError),
        (np.eye(3), 4, ArgumentError), (np.eye(3), 0, (ArgumentError, ConfigError)), (np.eye(2) * np.nan, 1, NonFiniteError),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(scores, k, kind):
    with pytest.raises(kind):
        recall_at(scores, k)
