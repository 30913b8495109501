"""Filter, then rank: the best of those that are allowed, and nobody where none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.prompt import best_allowed, best_of_n

WORTH = st.sampled_from([-np.inf, -2.0, 0.0, 1.0, np.inf])


@given(st.integers(1, 3), st.lists(st.tuples(WORTH, st.booleans()), min_size=6, max_size=6))
def test_request_by_request(n, drawn):
    expected = []
    for begin in range(0, 6, n):
        passing = [row for row in range(begin, begin + n) if drawn[row][1]]
        expected.append(max(passing, key=lambda row: drawn[row][0], default=-1))
    rewards, allowed = (np.array(side) for side in zip(*drawn))
    assert best_allowed(rewards, allowed, n).tolist() == expected


def test_where_all_are_allowed_it_is_the_best_of_n():
    rewards = np.random.default_rng(0).integers(0, 4, 60)
    assert best_allowed(rewards, np.ones(60, bool), 5).tolist() == best_of_n(rewards, 5).tolist()


def test_what_is_no_row_of_booleans_is_refused():
    for allowed in ([1, 0], [True], [[True, False]]):
        with pytest.raises(ShapeError, match="allowed"):
            best_allowed([1.0, 2.0], allowed, 2)
    with pytest.raises(ArgumentError, match="NaN"):
        best_allowed([1.0, np.nan], [True, False], 2)
    with pytest.raises(ShapeError, match="multiple"):
        best_allowed([1.0, 2.0], [True, False], 3)
