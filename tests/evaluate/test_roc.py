"""The ROC, its area and its thresholds, against scikit-learn, and counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import roc_auc, roc_curve, threshold_for

SCORES, LABELS = [0.9, 0.8, 0.8, 0.4, 0.1], [1, 0, 1, 1, 0]
CASES = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), max_size=12).map(
    lambda drawn: [(1, True), (0, False), *drawn]
)


def test_a_curve_counted_by_hand():
    found = roc_curve(SCORES, LABELS)
    assert found.thresholds.tolist() == [math.inf, 0.9, 0.8, 0.4, 0.1]  # equal scores are one point
    np.testing.assert_allclose(found.fpr, [0, 0, 1 / 2, 1 / 2, 1])
    np.testing.assert_allclose(found.tpr, [0, 1 / 3, 2 / 3, 1, 1])
    assert found.auc == pytest.approx((1 + 0.5 + 1 + 0 + 1 + 1) / 6)


@given(CASES)
def test_the_area_is_how_often_a_positive_scores_higher_and_equals_are_half(drawn):
    scores, labels = zip(*drawn)
    pairs = [(a > b) + (a == b) / 2 for a, p in drawn for b, q in drawn if p and not q]
    assert roc_auc(scores, labels) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert roc_auc([-s for s in scores], labels) == pytest.approx(1 - np.mean(pairs), abs=1e-12)


@given(CASES, st.sampled_from([0.01, 0.3, 0.5, 0.7, 1.0]))
def test_the_threshold_is_the_largest_that_finds_the_share(drawn, tpr):
    scores, labels = map(np.array, zip(*drawn))
    t = threshold_for(scores, labels, tpr)
    assert (scores[labels] >= t).mean() >= tpr > (scores[labels] > t).mean()


def test_a_share_that_is_no_exact_number_is_met_exactly():
    assert threshold_for([*range(10), -1], [1] * 10 + [0], 0.1 * 3) == 7


@pytest.mark.parametrize(
    ("scores", "labels", "error", "words"),
    [
        ([1, 2], [1, 1], DataError, "some positive and some negative"),
        ([1, 2], [0, 0], DataError, "labels"),
        ([1, 2], [0, 2], DataError, "classes 0 to 1"),
        ([1, 2], [0, 1, 1], ShapeError, "labels"),
        ([1, math.nan], [0, 1], NonFiniteError, "scores"),
    ],
)
def test_what_has_no_curve_is_refused(scores, labels, error, words):
    with pytest.raises(error, match=words):
        roc_curve(scores, labels)


@pytest.mark.parametrize("tpr", [0, -1, 1.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(tpr):
    with pytest.raises(ArgumentError, match="tpr"):
        threshold_for(SCORES, LABELS, tpr)


@pytest.mark.oracle
def test_the_same_as_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for count in (2, 7, 40, 400):
        for decimals in (0, 1, 12):
            scores, labels = rng.normal(size=count).round(decimals), rng.integers(0, 2, count)
            labels[:2] = 0, 1
            ours, theirs = roc_curve(scores, labels), metrics.roc_curve(labels, scores, drop_intermediate=False)
            for mine, other in zip((ours.fpr, ours.tpr, ours.thresholds), theirs):
                np.testing.assert_allclose(mine, other, rtol=0, atol=1e-12)
            assert ours.auc == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
