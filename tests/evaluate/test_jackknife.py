"""The jackknife's error is a mean's standard error, and what its definition says of anything else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError
from tinygrad_llm.evaluate.jackknife import jackknife_interval, standard_error


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_of_a_mean_it_is_the_standard_error(values):
    x = np.array(values)
    without = (x.sum() - x) / (len(x) - 1)
    assert standard_error(without) == pytest.approx(x.std(ddof=1) / np.sqrt(len(x)), rel=1e-6, abs=1e-9)


def test_of_anything_else_it_is_its_definition():
    x = np.random.default_rng(0).random(9)
    without = [np.median(np.delete(x, i)) for i in range(9)]
    by_hand = sum((m - sum(without) / 9) ** 2 for m in without) * 8 / 9
    assert standard_error(without) == pytest.approx(by_hand**0.5, rel=1e-12)


def test_the_interval_is_as_wide_as_its_confidence_asks():
    found = jackknife_interval(0.5, [0.4, 0.5, 0.6], confidence=0.95)
    assert found.score == 0.5
    assert found.high - 0.5 == pytest.approx(1.959963985 * standard_error([0.4, 0.5, 0.6]), rel=1e-9)
    assert 0.5 - found.low == pytest.approx(found.high - 0.5)
    narrow = jackknife_interval(0.5, [0.4, 0.5, 0.6], confidence=0.5)
    assert narrow.high - 0.5 == pytest.approx(0.6744897502 * standard_error([0.4, 0.5, 0.6]), rel=1e-9)


def test_what_cannot_be_is_refused():
    for left_out, error in (([0.5], DataError), ([], DataError), ([0.1, np.nan], NonFiniteError)):
        with pytest.raises(error):
            standard_error(left_out)
    with pytest.raises(ArgumentError, match="confidence"):
        jackknife_interval(0.5, [0.1, 0.2], confidence=1)
