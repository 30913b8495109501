"""Exposure: by its definition, between its ends, and 1.44 bits in the mean where nothing was learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, NonFiniteError
from tinygrad_llm.evaluate import exposure


def test_exposure_by_hand():
    log_probs = np.log([0.1, 0.4, 0.2, 0.3])
    assert [exposure(log_probs, i) for i in range(4)] == pytest.approx([0, 2, 2 - math.log2(3), 1])


def test_a_tie_exposes_nothing():
    assert exposure(np.zeros(8), 3) == 0 and exposure(np.array([0.0, 0.0, -1.0, -1.0]), 0) == 1


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=20), st.data())
def test_exposure_is_what_sorting_gives(values, data):
    secret = data.draw(st.integers(0, len(values) - 1))
    worst = max(i for i, v in enumerate(sorted(values, reverse=True), 1) if v == values[secret])
    assert exposure(np.array(values, float), secret) == pytest.approx(math.log2(len(values) / worst), abs=1e-12)


def test_it_is_1_44_bits_in_the_mean_where_nothing_is_known():
    log_probs = np.random.default_rng(0).normal(size=4096)
    mean = np.mean([exposure(log_probs, i) for i in range(4096)])
    assert mean == pytest.approx(1 / math.log(2), abs=0.01)


def test_minus_infinity_is_a_number():
    assert exposure(np.array([-np.inf, 0.0]), 0) == 0 and exposure(np.array([-np.inf, 0.0]), 1) == 1


@pytest.mark.parametrize("secret", [-1, 4])
def test_a_secret_must_be_one_of_the_candidates(secret):
    with pytest.raises(ArgumentError, match=r"secret: expected a number of one of the candidates, shape \(4,\)"):
        exposure(np.zeros(4), secret)
    with pytest.raises(ArgumentError):
        exposure(np.zeros((2, 2)), 0)


def test_a_nan_is_refused():
    with pytest.raises(NonFiniteError, match="log_probs: expected numbers, got 1 NaN"):
        exposure(np.array([0.0, np.nan]), 0)
