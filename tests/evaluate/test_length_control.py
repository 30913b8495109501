"""Controlled win rates: closed forms, the slope of the likelihood, SciPy's minimizer and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import controlled_wins, length_difference


def drawn(seed, count=300, columns=1, soft=False):
    """Verdicts of a judge who likes the first by c, and each difference by f."""
    rng = np.random.default_rng(seed)
    z, f, c = rng.normal(rng.normal(), 1, (count, columns)), rng.normal(size=columns), rng.normal() / 2
    p = 1 / (1 + np.exp(-(c + z @ f)))
    return (p if soft else (rng.random(count) < p).astype(float)), z, c, f


def test_of_a_difference_with_two_values_the_rate_is_that_of_the_one_that_is_0():
    # at 0 the first wins 3 of 4, at 1 it wins 2 of 10: log odds ln 3, and ln(1/4) - ln 3 more
    found = controlled_wins([1, 1, 1, 0, *[1] * 2, *[0] * 8], [0] * 4 + [1] * 10)
    assert found.rate == pytest.approx(0.75, rel=1e-12) and found.raw == pytest.approx(5 / 14)
    np.testing.assert_allclose(found.slopes, [math.log(1 / 12)], rtol=1e-10)


def test_probabilities_as_the_model_foresees_them_give_its_coefficients_back():
    for seed in range(20):
        p, z, c, f = drawn(seed, columns=1 + seed % 3, soft=True)
        found = controlled_wins(p, z)
        assert found.rate == pytest.approx(1 / (1 + math.exp(-c)), rel=1e-9) and found.raw == pytest.approx(p.mean())
        np.testing.assert_allclose(found.slopes, f, rtol=1e-8)


def test_the_slope_of_the_likelihood_is_nothing_at_the_coefficients():
    for seed in range(40):
        y, z, _, _ = drawn(seed, columns=1 + seed % 3)
        found = controlled_wins(y, z)
        odds = math.log(found.rate / (1 - found.rate)) + z @ found.slopes
        left = y - 1 / (1 + np.exp(-odds))
        np.testing.assert_allclose([left.sum(), *(left @ z)], 0, atol=1e-8)


def test_turned_around_it_is_the_rate_of_the_other():
    y, z, _, _ = drawn(3)
    one, other = controlled_wins(y, z[:, 0]), controlled_wins(1 - y, -z[:, 0])
    assert one.rate + other.rate == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(one.slopes, other.slopes, rtol=1e-10)


def test_a_judge_who_goes_by_length_alone_gives_each_system_half():
    rng = np.random.default_rng(0)
    n, m = rng.integers(5, 30, 5000), rng.integers(2, 20, 5000)
    z = length_difference(n, m)
    found = controlled_wins((rng.random(5000) < 1 / (1 + np.exp(-2 * z))).astype(float), z)
    assert found.raw > 0.65 and abs(found.rate - 0.5) < 0.03 and abs(found.slopes[0] - 2) < 0.2


def test_differences_of_length_are_in_units_of_their_spread_and_bent():
    np.testing.assert_allclose(length_difference([4, 8], [2, 10]), [math.tanh(1), -math.tanh(1)])
    np.testing.assert_allclose(
        length_difference([9, 1, 2], [1, 9, 2]), np.tanh(np.array([8, -8, 0]) / np.std([8, -8, 0]))
    )
    np.testing.assert_array_equal(length_difference([5, 6], [3, 4]), [0, 0])


def test_what_cannot_be_told_is_said():
    with pytest.raises(DataError, match="tells all of them apart"):
        controlled_wins([1, 1, 0, 0], [2.0, 1.0, -1.0, -2.0])
    with pytest.raises(DataError, match="rank 1"):
        controlled_wins([1, 0, 1], [1.0, 1.0, 1.0])
    with pytest.raises(DataError, match="probabilities"):
        controlled_wins([2, 0], [1.0, 0.0])
    with pytest.raises(DataError, match="tells all of them apart"):
        controlled_wins([1, 1, 1], [0.5, 1.0, 2.0])
    for wrong in ([1.0], np.zeros((2, 1, 1)), np.zeros((3, 1))):
        with pytest.raises(ShapeError, match="differences"):
            controlled_wins([1, 0], wrong)
    with pytest.raises(ShapeError, match="as first"):
        length_difference([1, 2], [1])
    with pytest.raises(NonFiniteError):
        length_difference([1, math.nan], [1, 2])


def by_scipy(y, x):
    optimize = pytest.importorskip("scipy.optimize")
    return optimize.minimize(
        lambda b: np.logaddexp(0, x @ b).sum() - y @ x @ b, np.zeros(x.shape[1]),
        jac=lambda b: x.T @ (1 / (1 + np.exp(-x @ b)) - y), method="BFGS", options={"gtol": 1e-9},
    ).x  # fmt: skip


@pytest.mark.oracle
def test_scipy_finds_the_same_maximum():
    for seed in range(30):
        y, z, _, _ = drawn(seed, columns=1 + seed % 3, soft=seed % 2 == 0)
        y = np.clip(y + np.random.default_rng(seed).normal(0, 0.1, len(y)), 0, 1)
        best = by_scipy(y, np.concatenate([np.ones((len(z), 1)), z], 1))
        found = controlled_wins(y, z)
        assert found.rate == pytest.approx(1 / (1 + math.exp(-best[0])), rel=1e-6)
        np.testing.assert_allclose(found.slopes, best[1:], rtol=1e-5, atol=1e-7)


@pytest.mark.oracle
def test_scikit_learn_finds_the_same_coefficients():
    linear_model = pytest.importorskip("sklearn.linear_model")
    for seed in range(30):
        y, z, _, _ = drawn(seed, columns=1 + seed % 3)
        theirs = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(z, y)
        found = controlled_wins(y, z)
        assert found.rate == pytest.approx(1 / (1 + math.exp(-theirs.intercept_[0])), rel=1e-6)
        np.testing.assert_allclose(found.slopes, theirs.coef_[0], rtol=1e-5, atol=1e-7)
