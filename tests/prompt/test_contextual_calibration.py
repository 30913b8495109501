"""Contextual calibration is its formula, leaves an empty question undecided, and undoes a bias that multiplies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinygrad_llm.errors import DataError, NonFiniteError, ShapeError
from tinygrad_llm.prompt import CONTENT_FREE, ContextualCalibration

SHARES = arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda p: p / p.sum())


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def test_it_is_the_formula_by_hand():
    empty = np.array([[0.6, 0.2], [0.1, 0.1]])
    p_cf = (empty[0] / 0.8 + empty[1] / 0.2) / 2
    calibration = ContextualCalibration.fit(empty)
    np.testing.assert_allclose(calibration.content_free, p_cf)
    np.testing.assert_allclose(calibration.weight, np.linalg.inv(np.diag(p_cf)))
    for p in ([0.5, 0.5], [0.9, 0.1], [0.6, 0.3]):
        np.testing.assert_allclose(calibration(p), softmax(calibration.weight @ np.array(p)))
    np.testing.assert_allclose(calibration([[0.5, 0.5], [0.9, 0.1]])[1], calibration([0.9, 0.1]))
    assert calibration([0.6, 0.4]).argmax() == 1  # which is less than the prompt always says
    assert len(CONTENT_FREE) == 3


@given(SHARES)
def test_a_question_that_says_nothing_is_answered_by_nothing(p):
    calibration = ContextualCalibration.fit(p)
    np.testing.assert_allclose(calibration(p), np.full(3, 1 / 3), rtol=1e-9)
    np.testing.assert_allclose(calibration.ratios(p), np.full(3, 1 / 3), rtol=1e-9)


@given(SHARES, SHARES)
def test_both_forms_have_one_order_and_sum_to_one(empty, p):
    calibration = ContextualCalibration.fit(empty)
    q, ratios = calibration(p), calibration.ratios(p)
    assert q.sum() == pytest.approx(1) and ratios.sum() == pytest.approx(1)
    for i in range(3):
        for j in range(3):
            assert ratios[i] <= ratios[j] * (1 + 1e-12) or q[i] >= q[j] * (1 - 1e-12)


@given(SHARES, SHARES)
def test_a_bias_that_multiplies_is_undone(bias, p):
    biased = bias * p / (bias * p).sum()
    np.testing.assert_allclose(ContextualCalibration.fit(bias).ratios(biased), p, rtol=1e-9)


def test_large_ratios_do_not_overflow():
    calibration = ContextualCalibration.fit([1e-6, 1 - 1e-6])
    np.testing.assert_allclose(calibration([1.0, 0.0]), [1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("empty", "p", "error"),
    [
        ([0.5, 0], None, DataError), ([[0.0, 0], [1, 1]], None, DataError), ([1.2, 0.1], None, DataError), ([-0.1, 0.5], None, DataError),
        ([np.nan, 1], None, NonFiniteError), ([0.5, 0.5], [0.2, 0.3, 0.5], ShapeError), ([0.5, 0.5], [1.5, 0], DataError),
        ([0.5, 0.5], [np.inf, 0], NonFiniteError), ([0.5, 0.5], 0.5, ShapeError), ([[[0.5, 0.5]]], None, ShapeError),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(empty, p, error):
    with pytest.raises(error):
        ContextualCalibration.fit(empty)(p)


def test_a_row_without_any_probability_has_no_ratios():
    with pytest.raises(DataError, match="zeros"):
        ContextualCalibration.fit([0.5, 0.5]).ratios([[0.1, 0.2], [0, 0]])
