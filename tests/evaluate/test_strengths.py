"""Strengths of greatest likelihood, against closed forms and SciPy's minimizer; Elo, game by game."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import bootstrap_interval, bradley_terry, elo


def test_of_two_players_the_odds_are_those_of_their_wins():
    found = bradley_terry([[0, 12], [3, 0]])
    np.testing.assert_allclose(found.strengths, [math.log(4) / 2, -math.log(4) / 2], rtol=1e-12)
    assert found.beats()[0, 1] == pytest.approx(12 / 15) and found.beats()[1, 0] == pytest.approx(3 / 15)
    # the variance of log odds is 1/12 + 1/3, and of each strength, half of it away from the middle, a quarter
    np.testing.assert_allclose(found.covariance, np.array([[1, -1], [-1, 1]]) * (1 / 12 + 1 / 3) / 4, rtol=1e-12)
    low, high = found.interval()
    np.testing.assert_allclose(high - low, 2 * 1.959963984540054 * math.sqrt((1 / 12 + 1 / 3) / 4), rtol=1e-12)
    np.testing.assert_allclose((high + low) / 2, found.strengths, rtol=1e-12)
    narrow, wide = found.interval(0.5)
    np.testing.assert_allclose(wide - narrow, 2 * 0.6744897501960817 * math.sqrt((1 / 12 + 1 / 3) / 4), rtol=1e-12)


def test_ten_times_the_wins_are_four_hundred_points():
    points = bradley_terry([[0, 10], [1, 0]]).elo()
    assert points[0] - points[1] == pytest.approx(400) and points.mean() == pytest.approx(1000)
    assert bradley_terry([[0, 10], [1, 0]]).elo(0.0)[0] == pytest.approx(200)


def test_wins_as_the_strengths_foresee_them_have_these_strengths():
    s = np.array([1.5, 0.25, -0.5, -1.25])
    wins = 1000 / (1 + np.exp(s - s[:, None]))
    np.fill_diagonal(wins, 0)
    np.testing.assert_allclose(bradley_terry(wins).strengths, s, rtol=1e-10)
    np.testing.assert_allclose(bradley_terry(wins[:, ::-1][::-1]).strengths, s[::-1], rtol=1e-10)


def random_wins(seed):
    rng = np.random.default_rng(seed)
    count = rng.integers(2, 7)
    s = rng.normal(size=count) * rng.choice([0.5, 2])
    games = rng.integers(0, 9, (count, count))
    wins = rng.binomial(games, 1 / (1 + np.exp(s - s[:, None]))) + rng.integers(0, 2, (count, count)) / 2
    for i in range(count):  # a ring of wins: all strengths have an end
        wins[i, (i + 1) % count] += 0.5
    np.fill_diagonal(wins, 0)
    return wins


def test_the_slope_is_nothing_and_the_covariance_is_the_inverse_curvature():
    for seed in range(60):
        wins = random_wins(seed)
        found, games = bradley_terry(wins), wins + wins.T
        s = found.strengths
        p = np.array([[1 / (1 + math.exp(b - a)) for b in s] for a in s])
        np.testing.assert_allclose((wins - games * p).sum(1), 0, atol=1e-8)
        assert abs(s.mean()) < 1e-10
        curvature = np.diag((games * p * (1 - p)).sum(1)) - games * p * (1 - p)
        np.testing.assert_allclose(found.covariance, np.linalg.pinv(curvature), rtol=1e-7, atol=1e-9)


def test_far_apart_players_are_found_too():
    found = bradley_terry([[0, 1e6, 1], [1, 0, 1e6], [1e-3, 1, 0]])
    p = found.beats()
    games = np.array([[0, 1e6 + 1, 1 + 1e-3], [1e6 + 1, 0, 1e6 + 1], [1 + 1e-3, 1e6 + 1, 0]])
    np.testing.assert_allclose((games * p).sum(1), [1e6 + 1, 1 + 1e6, 1 + 1e-3], rtol=1e-8)


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng, s, covered = np.random.default_rng(0), np.array([0.6, 0.1, -0.2, -0.5]), np.zeros(4)
    for _ in range(300):
        wins = np.triu(rng.binomial(30, 1 / (1 + np.exp(s - s[:, None]))), 1)
        low, high = bradley_terry(wins + np.tril(30 - wins.T, -1)).interval(0.9)
        covered += (low <= s) & (s <= high)
    assert (covered / 300 > 0.85).all() and (covered / 300 < 0.95).all()


@pytest.mark.parametrize(
    ("wins", "error", "words"),
    [([[0, 1], [0, 0]], DataError, "wins: .*none from player 1 to 0"), ([[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]], DataError, "wins: .*none from player 2 to 0"), ([[0, -1], [1, 0]], DataError, "wins: expected at least 0"), ([[1, 1], [1, 0]], DataError, "0 against oneself"), ([[0, 1]], ShapeError, "wins"), ([[0, np.nan], [1, 0]], NonFiniteError, "wins")],
)  # fmt: skip
def test_wins_without_strengths_are_refused(wins, error, words):
    with pytest.raises(error, match=words):
        bradley_terry(wins)


def test_a_confidence_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match="confidence: "):
        bradley_terry([[0, 1], [1, 0]]).interval(95)


def test_a_long_chain_of_wins_is_enough():
    for count in (3, 8, 9, 16, 17):
        ring = np.roll(np.eye(count), 1, 1)
        np.testing.assert_allclose(bradley_terry(ring).strengths, 0, atol=1e-12)
        with pytest.raises(DataError, match="player 1 to 0"):
            bradley_terry(ring * (np.arange(count)[:, None] < count - 1))


def test_elo_moves_both_by_what_was_not_foreseen():
    np.testing.assert_allclose(elo([[0, 1, 1]], 3), [1016, 984, 1000])
    np.testing.assert_allclose(elo([[0, 1, 0.5]], 2), [1000, 1000])
    np.testing.assert_allclose(elo([[0, 1, 1]], 2, k=1), [1000.5, 999.5])
    np.testing.assert_allclose(elo([[2, 0, 0]], 3, k=10, start=0), [5, 0, -5])
    second = 32 * (0 - 1 / (1 + 10 ** (-32 / 400)))
    np.testing.assert_allclose(elo([[0, 1, 1], [0, 1, 0]], 2), [1016 + second, 984 - second], rtol=1e-14)
    assert elo([[0, 1, 1], [0, 1, 0]], 2)[0] < 1000 < elo([[0, 1, 0], [0, 1, 1]], 2)[0]  # the last game counts most


def test_elo_comes_to_the_strengths_with_many_games_and_small_steps():
    rng, s = np.random.default_rng(0), np.array([1.0, 0.0, -1.0])
    pairs = np.array([rng.choice(3, 2, replace=False) for _ in range(6000)])
    results = rng.random(6000) < 1 / (1 + np.exp(s[pairs[:, 1]] - s[pairs[:, 0]]))
    found = elo(np.column_stack([pairs, results]), 3, k=2)
    np.testing.assert_allclose(found, 1000 + 400 / math.log(10) * s, atol=25)


def test_elos_interval_is_the_bootstraps():
    games = [[0, 1, 1], [1, 2, 1], [0, 2, 0.5], [2, 1, 1]] * 5
    found = bootstrap_interval(games, lambda drawn: elo(drawn, 3), resamples=50, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found.score, elo(games, 3))
    assert (found.low < found.high).all()


@pytest.mark.parametrize(
    ("games", "options", "error", "words"),
    [
        ([[0, 2, 1]], {}, DataError, "games: expected two of the players 0 to 1"), ([[1, 1, 1]], {}, DataError, "games: expected two"), ([[0, 1, 2]], {}, DataError, "games: expected results"), ([[0, 1, -1]], {}, DataError, "results"),
        ([[0.5, 1, 1]], {}, DataError, "games: .*whole"), ([[-1, 1, 1]], {}, DataError, "games"), ([[0, 1]], {}, ShapeError, r"games: expected \(N, 3\)"), ([], {}, ShapeError, "games"), ([[0, 1, 1]], {"k": 0}, ArgumentError, "k: "), ([[0, 1, 1]], {"players": 1}, ArgumentError, "players: .*at least 2"),
    ],
)  # fmt: skip
def test_games_that_are_none_are_refused(games, options, error, words):
    with pytest.raises(error, match=words):
        elo(games, **({"players": 2} | options))


@pytest.mark.oracle
def test_a_thousand_tables_have_scipys_maximum():
    from scipy import optimize

    for seed in range(1000):
        wins = random_wins(seed)

        def loss(s, wins=wins):
            return (wins * np.logaddexp(0, s - s[:, None])).sum()

        def slope(s, wins=wins):
            p = 1 / (1 + np.exp(s - s[:, None]))
            return ((wins + wins.T) * p - wins).sum(1)

        theirs = optimize.minimize(loss, np.zeros(len(wins)), jac=slope, method="BFGS", options={"gtol": 1e-9}).x
        np.testing.assert_allclose(bradley_terry(wins).strengths, theirs - theirs.mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.oracle
def test_a_hundred_tables_have_the_logistic_regression_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    for seed in range(100):
        wins = random_wins(seed)
        pairs = np.argwhere(wins > 0)
        rows = np.zeros((len(pairs), len(wins)))
        rows[np.arange(len(pairs)), pairs[:, 0]], rows[np.arange(len(pairs)), pairs[:, 1]] = 1, -1
        weights = wins[tuple(pairs.T)]
        rows, won, weights = np.concatenate([rows, -rows]), np.repeat([1, 0], len(pairs)), np.tile(weights, 2)
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=10_000)
        theirs = model.fit(rows, won, weights).coef_[0]
        np.testing.assert_allclose(bradley_terry(wins).strengths, theirs - theirs.mean(), rtol=1e-4, atol=1e-5)
