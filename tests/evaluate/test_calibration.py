"""Calibration errors by bins, against torchmetrics, and Brier's score, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, DtypeError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import brier_score, calibration_error, reliability


def test_bins_counted_by_hand():
    found = reliability([0.0, 0.2, 0.25, 0.5, 0.9, 1.0], [0, 1, 0, 1, 1, 0], bins=4)
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.counts.tolist() == [2, 1, 1, 2]  # a bin holds its lower edge, the last one 1 as well
    np.testing.assert_allclose(found.confidence, [0.1, 0.25, 0.5, 0.95])
    np.testing.assert_allclose(found.accuracy, [0.5, 0, 1, 0.5])
    np.testing.assert_allclose(found.gaps(), [0.4, 0.25, 0.5, 0.45])
    assert calibration_error([0.0, 0.2, 0.25, 0.5, 0.9, 1.0], [0, 1, 0, 1, 1, 0], bins=4) == pytest.approx(2.45 / 6)
    assert calibration_error([0.0, 0.2, 0.25, 0.5, 0.9, 1.0], [0, 1, 0, 1, 1, 0], bins=4, norm="max") == pytest.approx(
        0.5
    )


def test_an_empty_bin_has_no_mean_and_no_gap():
    found = reliability([0.9, 0.8], [True, False], bins=2)
    assert found.counts.tolist() == [0, 2] and math.isnan(found.confidence[0]) and math.isnan(found.accuracy[0])
    assert found.gaps()[0] == 0 and found.gaps()[1] == pytest.approx(0.35)


def test_there_are_fifteen_bins_where_nothing_is_said():
    assert len(reliability([0.5], [1]).counts) == 15
    rng = np.random.default_rng(0)
    p, right = rng.random(200), rng.integers(0, 2, 200)
    assert (
        calibration_error(p, right)
        == calibration_error(p, right, bins=15, norm="mean")
        != calibration_error(p, right, bins=14)
    )


def test_sure_and_right_has_none_and_sure_and_wrong_has_one():
    assert calibration_error([1, 1, 0], [1, 1, 0]) == 0 and calibration_error([1, 0], [0, 1]) == 1
    assert calibration_error([0.25] * 4, [1, 0, 0, 0]) == 0 < calibration_error([0.25] * 4, [1, 1, 0, 0])


def test_brier_scores_counted_by_hand():
    assert brier_score([0.8, 0.4], [1, 0]) == pytest.approx((0.04 + 0.16) / 2)
    assert brier_score([1, 0], [1, 0]) == 0 and brier_score([0, 1], [1, 0]) == 1
    assert brier_score([[0.5, 0.3, 0.2], [0, 1, 0]], [0, 2]) == pytest.approx((0.25 + 0.09 + 0.04 + 2) / 2)
    assert brier_score([[0.2, 0.8]], [1]) == pytest.approx(2 * brier_score([0.8], [1]))
    assert brier_score([[1 / 3, 1 / 3, 1 / 3]], [0]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("confidence", "right", "options", "error", "words"),
    [
        ([], [], {}, DataError, "confidence: .*at least one"), ([1.2], [1], {}, DataError, "confidence: .*from 0 to 1"), ([-0.1], [1], {}, DataError, "confidence"), ([0.5], [2], {}, DataError, "right: expected classes 0 to 1"),
        ([0.5], [0.5], {}, DataError, "right: .*whole"), ([0.5], [1, 0], {}, ShapeError, r"right: expected \(1,\)"), ([[0.5]], [1], {}, ShapeError, "confidence"), ([np.nan], [1], {}, NonFiniteError, "confidence"), (["a"], [1], {}, DtypeError, "confidence"),
        ([0.5], [1], {"bins": 0}, ArgumentError, "bins"), ([0.5], [1], {"norm": "l2"}, ArgumentError, "norm: expected mean or max"),
    ],
)  # fmt: skip
def test_what_cannot_be_binned_is_refused(confidence, right, options, error, words):
    with pytest.raises(error, match=words):
        calibration_error(confidence, right, **options)


@pytest.mark.parametrize(
    ("p", "labels", "error", "words"),
    [
        ([0.5], [2], DataError, "labels: expected classes 0 to 1, got 2"), ([[0.5, 0.5]], [2], DataError, "labels: expected classes 0 to 1"), ([[0.5, 0.5]], [-1], DataError, "labels"), ([[0.5, 0.4]], [0], DataError, "p: expected rows whose sum is 1"),
        ([0.5, 0.5], [1], ShapeError, "labels"), ([[[1.0]]], [0], ShapeError, "p: "), ([1.5], [0], DataError, "p: "), (0.5, [0], ShapeError, "p: "),
    ],
)  # fmt: skip
def test_what_is_no_forecast_is_refused(p, labels, error, words):
    with pytest.raises(error, match=words):
        brier_score(p, labels)


@pytest.mark.oracle
def test_a_thousand_forecasts_have_torchmetrics_errors():
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    for seed in range(1000):
        rng = np.random.default_rng(seed)
        bins, count = int(rng.integers(1, 20)), int(rng.integers(1, 60))
        p = rng.random(count) * (1 - 1e-9)  # at 1 itself they have one more bin
        if seed % 4 == 0:
            p = np.round(p * 0.9, 1)  # ties, on edges
            bins = int(rng.choice([1, 2, 4, 8]))  # whose edges are the same in float32 and float64
        right = rng.integers(0, 2, count)
        ours, theirs = (("mean", "l1"), ("max", "max"))[seed % 2]
        expected = binary_calibration_error(torch.tensor(p), torch.tensor(right), n_bins=bins, norm=theirs).item()
        assert calibration_error(p, right, bins, ours) == pytest.approx(expected, abs=2e-6)


@pytest.mark.oracle
def test_a_thousand_forecasts_have_scikit_learns_brier_score():
    from sklearn.metrics import brier_score_loss

    for seed in range(500):  # of one class and of several
        rng = np.random.default_rng(seed)
        count, classes = int(rng.integers(1, 30)), int(rng.integers(3, 6))
        p, labels = rng.random(count), rng.integers(0, 2, count)
        assert brier_score(p, labels) == pytest.approx(brier_score_loss(labels, p, pos_label=1), rel=1e-12)
        p, labels = rng.dirichlet(np.ones(classes), count), rng.integers(0, classes, count)
        theirs = brier_score_loss(labels, p, labels=list(range(classes)), scale_by_half=False)
        assert brier_score(p, labels) == pytest.approx(theirs, rel=1e-12)
