"""Strengths: who is the better player, when all that is known is who won against whom.

    Bradley and Terry   P(i beats j) = 1 / (1 + exp(s_j - s_i)),  all strengths s at once, by maximum likelihood
    Elo                 R_i += k · (result - 1 / (1 + 10^((R_j - R_i) / 400))), game by game

A model of the first kind is the same for any order of the games, the second forgets old ones. A difference of
400 Elo points is ln 10 in s: odds of ten to one. Source: Zermelo, "Die Berechnung der Turnier-Ergebnisse als ein
Maximumproblem der Wahrscheinlichkeitsrechnung", 1929; Bradley and Terry, "Rank Analysis of Incomplete Block Designs",
1952; Elo, "The Rating of Chessplayers", 1978; of judged answers: Chiang et al., "Chatbot Arena", 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.evaluate.numbers import check_open_share, finite_array, whole_array
from tinygrad_llm.ranges import check_whole

SCALE = 400 / math.log(10)
"""Elo points a unit of strength."""
CLOSE = 1e-12
"""Newton's steps end where none is larger than so much of a unit of strength and of the strengths."""
STEPS = 100
"""And after so many, where rounding keeps them from that."""


@dataclass(frozen=True)
class BradleyTerry:
    """strengths   (C,), their mean 0.
    covariance  (C, C) of the strengths, the inverse of the Fisher information.
    """

    strengths: np.ndarray
    covariance: np.ndarray

    def interval(self, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The ends of each strength's interval, s -+ z · its standard error, (C,) each; good for many games.

        Raises ArgumentError for a confidence outside (0, 1).
        """
        check_open_share(confidence=confidence)
        reach = NormalDist().inv_cdf((1 + confidence) / 2) * np.sqrt(np.diag(self.covariance))
        return self.strengths - reach, self.strengths + reach

    def beats(self) -> np.ndarray:
        """P(i beats j) for each two, (C, C)."""
        return _share(self.strengths[:, None] - self.strengths)

    def elo(self, middle: float = 1000.0) -> np.ndarray:
        """The strengths in Elo points around a middle, (C,)."""
        return middle + SCALE * self.strengths


def bradley_terry(wins: Any) -> BradleyTerry:
    """The strengths of greatest likelihood, from wins (C, C): how often i beat j. A tie is half a win for each.

    Newton's method on the log-likelihood, which has one maximum:

        dL/ds_i = sum over j of (w_ij - n_ij P_ij),   -d²L/ds_i ds_j = -n_ij P_ij P_ji,   n_ij = w_ij + w_ji

    Raises ShapeError for another shape, DataError for wins below 0 or against oneself, and where the strengths have no
    end: when some players never lost to any of the others (Ford, 1957).
    """
    wins = finite_array("wins", wins, "CC")
    if (wins < 0).any() or np.diag(wins).any():
        raise DataError("wins", "at least 0, and 0 against oneself", f"{wins.min():g} to {wins.max():g}")
    _check_bounded(wins)
    games, s = wins + wins.T, np.zeros(len(wins))
    likelihood = _log_likelihood(wins, s)
    for _ in range(STEPS):
        shares = _share(s[:, None] - s)
        information = -games * shares * shares.T
        information -= np.diag(information.sum(1))
        # ones keep the mean where it is, and make the matrix one that has an inverse
        step = np.linalg.solve(information + 1 / len(s), (wins - games * shares).sum(1))
        if np.abs(step).max() <= CLOSE * (1 + np.abs(s).max()):
            break
        while (new := _log_likelihood(wins, s + step)) < likelihood - 1e-9 * abs(likelihood):
            step /= 2  # too far: beyond the maximum and down again
        s, likelihood = s + step, new
    return BradleyTerry(s, np.linalg.inv(information + 1 / len(s)) - 1 / len(s))


def _share(difference: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -difference))


def _log_likelihood(wins: np.ndarray, s: np.ndarray) -> float:
    return -float((wins * np.logaddexp(0, s - s[:, None])).sum())


def _check_bounded(wins: np.ndarray) -> None:
    """Raises DataError unless there is a chain of wins from each player to each other."""
    reached = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins).bit_length()):
        reached = reached @ reached
    if not reached.all():
        best, worst = np.argwhere(~reached)[0]
        raise DataError(
            "wins", "a chain of wins from each player to each other", f"none from player {best} to {worst}",
            "More games, or half a win added to each pair.",
        )  # fmt: skip


def elo(games: Any, players: int, *, k: float = 32.0, start: float = 1000.0) -> np.ndarray:
    """Ratings (C,) after games (N, 3) in their order: a player, the other, and the first one's result: 1, 0, or 1/2.

    Its interval: `bootstrap_interval(games, lambda drawn: elo(drawn, players), rng=rng)`.

    Raises ArgumentError for players below 2 or a k of 0 or less, DataError for a player or a result that is none;
    ShapeError.
    """
    check_whole(least=2, players=players)
    if not k > 0:
        raise ArgumentError("k", "points above 0", k)
    games = finite_array("games", games, "NC")
    if games.shape[1] != 3:
        raise ShapeError("games", "(N, 3)", games.shape)
    pairs, results = whole_array("games", games[:, :2]), games[:, 2]
    if pairs.max() >= players or (pairs[:, 0] == pairs[:, 1]).any():
        raise DataError("games", f"two of the players 0 to {players - 1}", f"{pairs[:3].tolist()} …")
    if ((results < 0) | (results > 1)).any():
        raise DataError("games", "results from 0 to 1", f"{results.min():g} to {results.max():g}")
    ratings = np.full(players, float(start))
    for (i, j), result in zip(pairs, results):
        gained = k * (result - 1 / (1 + 10 ** ((ratings[j] - ratings[i]) / 400)))
        ratings[i] += gained
        ratings[j] -= gained
    return ratings
