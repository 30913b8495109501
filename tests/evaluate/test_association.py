"""WEAT by hand and by the definition, p over all ways and over drawn ones, and as often wrong as it says."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import associations, regroup, weat


def rng(seed=0):
    return np.random.default_rng(seed)


def vectors(seed, *counts, width=3):
    return [rng([seed, n]).normal(size=(count, width)) for n, count in enumerate(counts)]


def cosine(u, v):
    return sum(a * b for a, b in zip(u, v)) / math.sqrt(sum(a * a for a in u) * sum(b * b for b in v))


def by_definition(x, y, a, b):
    """s of each target, s(X, Y, A, B), d, and p over all ways to choose which targets are X."""
    s = [sum(cosine(w, v) for v in a) / len(a) - sum(cosine(w, v) for v in b) / len(b) for w in (*x, *y)]
    statistic = sum(s[: len(x)]) - sum(s[len(x) :])
    middle = sum(s) / len(s)
    spread = math.sqrt(sum((each - middle) ** 2 for each in s) / (len(s) - 1))
    means = sum(s[: len(x)]) / len(x), sum(s[len(x) :]) / len(y)
    as_large = []
    for chosen in itertools.combinations(range(len(s)), len(x)):
        inside = sum(s[i] for i in chosen) / len(x)
        outside = sum(s[i] for i in range(len(s)) if i not in chosen) / len(y)
        as_large.append(inside - outside >= means[0] - means[1] - 1e-12)
    return s, statistic, (means[0] - means[1]) / spread, sum(as_large) / len(as_large)


def test_right_angles_by_hand():
    a, b = [[1, 0]], [[0, 2]]
    np.testing.assert_allclose(associations([[3, 0], [0, 1], [1, 1], [-1, 0]], a, b), [1, -1, 0, -1])
    found = weat([[3, 0], [1, 0]], [[0, 1], [0, 5]], a, b)
    np.testing.assert_allclose(found.associations, [1, 1, -1, -1])
    assert found.statistic == pytest.approx(4) and found.difference == pytest.approx(2)
    assert found.effect == pytest.approx(2 / math.sqrt(4 / 3))  # of a sample: the four squares divided by three
    assert (found.p_value, found.ways, found.exact) == (1 / 6, 6, True)


def test_length_of_a_vector_does_not_count():
    x, y, a, b = vectors(0, 3, 3, 2, 4)
    found, longer = weat(x, y, a, b), weat(7 * x, y, a * [[5], [0.1]], b)
    np.testing.assert_allclose(found.associations, longer.associations)


def test_definition_on_random_vectors():
    for seed in range(30):
        x, y, a, b = vectors(seed, 2 + seed % 3, 4, 1 + seed % 4, 3)
        s, statistic, effect, p = by_definition(x, y, a, b)
        found = weat(x, y, a, b)
        np.testing.assert_allclose(found.associations, s, rtol=1e-10)
        assert found.statistic == pytest.approx(statistic, rel=1e-10)
        assert found.effect == pytest.approx(effect, rel=1e-10)
        assert found.p_value == pytest.approx(p, abs=1e-12)
        assert found.ways == math.comb(len(x) + 4, len(x))


@pytest.mark.oracle
def test_equals_scipy_where_all_ways_are_looked_at():
    from scipy.stats import permutation_test

    for seed in range(10):
        first, second = rng(seed).normal(size=5), rng([seed, 1]).normal(size=4 + seed % 3)
        exact = permutation_test(
            (first, second), lambda u, v, axis: u.mean(axis) - v.mean(axis), vectorized=True, n_resamples=np.inf,
            alternative="greater",
        )  # fmt: skip
        assert regroup(first, second).p_value == pytest.approx(exact.pvalue, abs=1e-12)


def test_one_side_is_asked_for():
    assert regroup([3, 4, 5], [0, 1, 2]).p_value == 1 / 20
    assert regroup([0, 1, 2], [3, 4, 5]).p_value == 1
    assert regroup([0, 1, 2], [3, 4, 5]).effect == -regroup([3, 4, 5], [0, 1, 2]).effect


def test_equal_scores_are_no_difference():
    found = regroup([2, 2], [2, 2, 2])
    assert (found.difference, found.effect, found.p_value) == (0, 0, 1)
    tied = regroup([1, 0], [1, 0])  # of six ways one has two ones, and four as much as here
    assert tied.p_value == 5 / 6


def test_rounding_does_not_break_ties():
    tenths = [0.1, 0.2, 0.3]
    for order in itertools.permutations(tenths):
        assert regroup(order, [0.3, 0.1, 0.2]).p_value > 0.5
        assert regroup(order, [0.3, 0.1, 0.2]).p_value == regroup([1, 2, 3], [3, 1, 2]).p_value


def test_groups_of_other_sizes_are_held_against_their_means():
    assert regroup([5], [0, 1, 2, 3]).p_value == 1 / 5
    assert regroup([0, 1, 2, 3], [-9]).p_value == 1 / 5
    assert regroup([5], [0, 1, 2, 3]).difference == 3.5


def test_drawn_ways_come_near_to_all_and_are_never_0():
    first, second = rng(1).normal(0.6, 1, 6), rng(2).normal(size=6)
    exact = regroup(first, second)
    assert exact.exact and exact.ways == 924 and 0.02 < exact.p_value < 0.5
    drawn = regroup(first, second, most=900, rng=rng())
    assert not drawn.exact and drawn.ways == 900 and drawn.p_value != exact.p_value
    assert abs(drawn.p_value - exact.p_value) < 4 * math.sqrt(exact.p_value * (1 - exact.p_value) / 900)
    far = regroup(np.arange(20) + 100, np.arange(20), most=30, rng=rng())
    assert far.p_value == 1 / 31
    assert regroup(np.ones(20), np.ones(20), most=30, rng=rng()).p_value == 1
    assert regroup([1, 2], [0, 3], most=6).exact


def test_as_often_below_5_percent_as_it_says_where_nothing_is_different():
    """400 draws of 4 and 4 alike: of 70 ways p ≤ 0.05 in 3 of 70; ± 4 standard deviations."""
    p_values = [regroup(*rng(seed).normal(size=(2, 4))).p_value for seed in range(400)]
    share, expected = np.mean(np.array(p_values) <= 0.05), 3 / 70
    assert abs(share - expected) < 4 * math.sqrt(expected / 400)


def test_what_is_wrong_is_said():
    x, y, a, b = vectors(0, 3, 3, 2, 2)
    with pytest.raises(ShapeError, match="vectors of width 3"):
        weat(x, y, a, b[:, :2])
    with pytest.raises(ShapeError, match="a vector a row"):
        associations(x[0], a, b)
    with pytest.raises(DataError, match="1 of length 0"):
        weat(x, np.vstack([y, np.zeros(3)]), a, b)
    with pytest.raises(NonFiniteError):
        regroup([1, float("nan")], [1])
    with pytest.raises(DataError):
        regroup([], [1])
    with pytest.raises(ShapeError):
        regroup([[1, 2]], [1])
    with pytest.raises(ArgumentError, match="a generator: of 6 ways 5 are to be drawn"):
        regroup([1, 2], [3, 4], most=5)
    with pytest.raises(ArgumentError, match="most"):
        regroup([1, 2], [3, 4], most=0)
