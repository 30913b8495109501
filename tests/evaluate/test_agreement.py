"""Kappas and alpha are those of their papers, and of scikit-learn, torchmetrics and krippendorff."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, DtypeError, ShapeError
from tinygrad_llm.evaluate import cohen_kappa, fleiss_kappa, krippendorff_alpha

NAN = float("nan")


def test_cohens_kappa_counted_by_hand():
    first, second = list("yyyyyynnnn"), list("yyyynnynnn")  # 7 of 10 alike; by chance 6/10 5/10 + 4/10 5/10
    assert cohen_kappa(first, second) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert cohen_kappa([0, 1], [1, 0]) == -1 and cohen_kappa([3, 1, 2], [3, 1, 2]) == 1
    assert cohen_kappa([1, 1, 2, 2], [1, 2, 1, 2]) == 0


def test_weights_count_by_places_apart():
    first, second = [0, 0, 1, 2], [0, 2, 1, 1]
    # disagreements 0, 2, 0, 1; by chance: (2 of 0, 1 of 1, 1 of 2) with (1, 2, 1) over 4
    assert cohen_kappa(first, second) == pytest.approx(1 - 2 / ((2 * 3 + 1 * 2 + 1 * 3) / 4))
    assert cohen_kappa(first, second, weights="linear") == pytest.approx(
        1 - 3 / ((2 * (2 + 2) + (1 + 1) + (2 + 2)) / 4)
    )
    assert cohen_kappa(first, second, weights="quadratic") == pytest.approx(
        1 - 5 / ((2 * (2 + 4) + (1 + 1) + (4 + 2)) / 4)
    )


def test_the_order_of_labels_is_theirs_or_the_sorted_one():
    first, second = ["low", "mid", "high", "low"], ["mid", "mid", "high", "high"]
    asked = lambda labels: cohen_kappa(first, second, weights="linear", labels=labels)
    assert asked(None) == asked(["high", "low", "mid"]) != asked(["low", "mid", "high"])
    assert asked(["low", "mid", "high"]) == cohen_kappa([0, 1, 2, 0], [1, 1, 2, 2], weights="linear")
    assert asked(["low", "mid", "none", "high"]) == cohen_kappa(
        [0, 1, 3, 0], [1, 1, 3, 3], weights="linear", labels=range(4)
    )


def test_fleiss_kappa_counted_by_hand():
    # the example of Wikipedia's article: 10 subjects, 14 raters, 5 categories
    counts = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1], [7, 7, 0, 0, 0],
              [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]  # fmt: skip
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa([[2, 0], [0, 2]]) == 1 and fleiss_kappa([[1, 1], [1, 1]]) == -1


def fleiss_by_pairs(counts):
    pairs = []
    for row in counts:
        said = [c for c, count in enumerate(row) for _ in range(count)]
        pairs += [a == b for a, b in itertools.permutations(said, 2)]
    total = sum(map(sum, counts))
    chance = sum((sum(row[c] for row in counts) / total) ** 2 for c in range(len(counts[0])))
    return (np.mean(pairs) - chance) / (1 - chance)


def test_fleiss_kappa_is_the_share_of_pairs_that_agree():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(rng.integers(2, 6), rng.dirichlet(np.ones(rng.integers(2, 5))), rng.integers(2, 8))
        if (counts.sum(0) > 0).sum() > 1:
            assert fleiss_kappa(counts) == pytest.approx(fleiss_by_pairs(counts.tolist()), rel=1e-10, abs=1e-12)


# Krippendorff, 2011: four observers, twelve units, values 1 to 5
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_own_example(level, alpha):
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(alpha, abs=5e-4)


def alpha_by_pairs(ratings, level):
    """All pairs of ratings of one thing, against all pairs of ratings."""
    units = [[v for v in column if not math.isnan(v)] for column in zip(*ratings)]
    units = [unit for unit in units if len(unit) > 1]
    every = [v for unit in units for v in unit]

    def squared(c, k):
        if level == "nominal":
            return float(c != k)
        if level == "interval":
            return (c - k) ** 2
        c, k = min(c, k), max(c, k)
        return (sum(c <= v <= k for v in every) - (every.count(c) + every.count(k)) / 2) ** 2

    observed = sum(squared(a, b) / (len(unit) - 1) for unit in units for a, b in itertools.permutations(unit, 2))
    expected = sum(squared(a, b) for a, b in itertools.permutations(every, 2)) / (len(every) - 1)
    return 1 - observed / expected if expected else NAN


def random_ratings(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(-2, 4, rng.integers(2, 9))
    ratings = truth + rng.integers(-1, 2, (rng.integers(2, 5), len(truth))) * (rng.random() < 0.8)
    return np.where(rng.random(ratings.shape) < 0.25, NAN, ratings)


def test_alpha_is_the_disagreement_of_pairs():
    judged = 0
    for seed in range(80):
        ratings, level = random_ratings(seed), ("nominal", "ordinal", "interval")[seed % 3]
        if ((~np.isnan(ratings)).sum(0) > 1).any():
            expected = alpha_by_pairs(ratings.tolist(), level)
            assert krippendorff_alpha(ratings, level) == pytest.approx(expected, rel=1e-10, abs=1e-12, nan_ok=True)
            judged += 1
    assert judged > 60


def test_alpha_is_of_names_where_nothing_is_said():
    assert krippendorff_alpha(KRIPPENDORFF) == krippendorff_alpha(KRIPPENDORFF, "nominal")


def test_where_all_say_the_same_always_there_is_no_value():
    assert math.isnan(cohen_kappa([1, 1], [1, 1])) and math.isnan(fleiss_kappa([[3, 0], [3, 0]]))
    assert math.isnan(krippendorff_alpha([[2, 2], [2, 2]], "interval"))
    assert fleiss_kappa([[1, 1]]) == -1  # one thing is enough
    assert cohen_kappa([1, 1], [1, 2]) == 0  # one of the two is enough for a value


@pytest.mark.parametrize(
    ("first", "second", "options", "error", "words"),
    [([1], [1, 2], {}, DataError, "second: expected 1 labels"), ([], [], {}, DataError, "second: expected at least one"), ([1], [2], {"weights": "cubic"}, ArgumentError, "weights: expected one of none, linear, quadratic"), ([1], [2], {"labels": [1]}, DataError, r"second: expected one of the labels \[1\], got 2"), ([3], [1], {"labels": [1]}, DataError, "first")],
)  # fmt: skip
def test_labels_that_cannot_be_compared_are_refused(first, second, options, error, words):
    with pytest.raises(error, match=words):
        cohen_kappa(first, second, **options)


@pytest.mark.parametrize(
    ("counts", "error", "words"),
    [([[1, 0], [0, 1]], DataError, "counts: .*at least 2 raters"), ([[2, 0], [2, 1]], DataError, "counts: .*sums 2 to 3"), ([[1.5, 0.5]], DataError, "counts: .*whole"), ([[3, -1]], DataError, "counts: .*got -1"), ([2, 0], ShapeError, "counts"), ([["a"]], DtypeError, "counts"), ([[]], DataError, "counts")],
)  # fmt: skip
def test_counts_that_are_none_are_refused(counts, error, words):
    with pytest.raises(error, match=words):
        fleiss_kappa(counts)


@pytest.mark.parametrize(
    ("ratings", "level", "error", "words"),
    [([[1, NAN], [NAN, 2]], "nominal", DataError, "ratings: .*two raters"), ([[1, 2]], "nominal", DataError, "ratings"), ([1, 2], "nominal", ShapeError, "ratings"), ([[1], [2]], "ratio", ArgumentError, "level: expected one of nominal, ordinal, interval"), ([["a"], ["b"]], "nominal", DtypeError, "ratings")],
)  # fmt: skip
def test_ratings_that_cannot_agree_are_refused(ratings, level, error, words):
    with pytest.raises(error, match=words):
        krippendorff_alpha(ratings, level)


@pytest.mark.oracle
def test_a_thousand_pairs_of_raters_have_scikit_learns_kappa():
    from sklearn.metrics import cohen_kappa_score

    for seed in range(1000):
        rng = np.random.default_rng(seed)
        first = rng.integers(0, rng.integers(1, 6), rng.integers(1, 20))
        second = np.where(rng.random(len(first)) < 0.6, first, rng.integers(0, 5, len(first)))
        weights = (None, "linear", "quadratic")[seed % 3]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = cohen_kappa_score(first, second, weights=weights)
        found = cohen_kappa(first.tolist(), second.tolist(), weights=weights or "none")
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.oracle
def test_a_thousand_tables_have_torchmetrics_kappa():
    import torch
    from torchmetrics.functional.nominal import fleiss_kappa as theirs

    for seed in range(1000):
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(rng.integers(2, 9), rng.dirichlet(np.ones(rng.integers(2, 6))), rng.integers(1, 20))
        if (counts.sum(0) > 0).sum() > 1:
            left = (
                1 - ((counts.sum(0) / counts.sum()) ** 2).sum()
            )  # to which they add 1e-5 before they divide, in float32
            expected = theirs(torch.tensor(counts), mode="counts").item() * (left + 1e-5) / left
            assert fleiss_kappa(counts) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.oracle
def test_a_thousand_tables_with_gaps_have_krippendorffs_alpha():
    import krippendorff

    judged = 0
    for seed in range(1500):
        ratings, level = random_ratings(seed), ("nominal", "ordinal", "interval")[seed % 3]
        paired = ratings[:, (~np.isnan(ratings)).sum(0) > 1]
        if paired.size and len(np.unique(paired[~np.isnan(paired)])) > 1:
            expected = krippendorff.alpha(reliability_data=paired, level_of_measurement=level)
            assert krippendorff_alpha(ratings, level) == pytest.approx(expected, rel=1e-10, abs=1e-12)
            judged += 1
    assert judged > 1000
