"""Length control: how often would one system be preferred to another, were their answers equally long?

    P(the first of example i is preferred) = s(c + f · z_i),   rate = s(c)

s is the sigmoid, z_i (K,) what the two answers of example i differ in and should not count, such as their lengths; c
and f (K,) are those of the greatest likelihood. Where all z are 0, nothing is left but c: it is the difference of the
two systems. Whatever goes with z falls out with it, a virtue that takes words among them.

Source: Dubois et al., "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators", 2024. Theirs has a
further term for how hard an instruction is, shared by all systems; without it each pair of systems stands by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import DataError, ShapeError
from tinygrad_llm.evaluate.calibration import probabilities
from tinygrad_llm.evaluate.numbers import finite_array

CLOSE, STEPS, FARTHEST = 1e-12, 100, 1e3
"""Newton's steps end where none is larger; how many at most; a coefficient that is larger has no end."""


@dataclass(frozen=True)
class ControlledWins:
    """rate    0 to 1: of the first, where nothing else differs.
    raw     the mean of what was preferred, as it is.
    slopes  (K,) the f: what a unit of each difference adds to the log odds.
    """

    rate: float
    raw: float
    slopes: np.ndarray


def length_difference(first: Any, second: Any) -> np.ndarray:
    """tanh((n_i - m_i) / their standard deviation) of the lengths n and m, (N,) each: of a few words much, of many not
    much more.  (N,); all 0 where all differ by as much.

    Raises ShapeError where they are not of one length, DataError for none, NonFiniteError.
    """
    first, second = finite_array("first", first, "N"), finite_array("second", second, "N")
    if first.shape != second.shape:
        raise ShapeError("second", f"{first.shape}, as first", second.shape)
    apart = first - second
    spread = apart.std()
    return np.tanh(apart / spread) if spread > 0 else np.zeros_like(apart)


def controlled_wins(preferred: Any, differences: Any) -> ControlledWins:
    """The rate at which the first of two systems is preferred, with what shall not count held equal.

    preferred    (N,) of each example 1 where the first is preferred, 0 where the second is, and what is between, such
                 as a judge's probability, or 1/2 for a tie.
    differences  (N,) or (N, K), the z.

    Newton's method on the log-likelihood, which has one maximum. Raises DataError for values outside 0 to 1, for
    differences that are none, and where the maximum has no end, as where one sign of a difference always wins;
    ShapeError, NonFiniteError.
    """
    y = probabilities("preferred", preferred, "N")
    z = finite_array("differences", differences)
    z = z[:, None] if z.ndim == 1 else z
    if z.ndim != 2 or len(z) != len(y):
        raise ShapeError("differences", f"({len(y)},) or ({len(y)}, K), one row an example", z.shape)
    x = np.concatenate([np.ones((len(z), 1)), z], 1)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError("differences", "columns that vary, each in its own way", f"rank {np.linalg.matrix_rank(x)}")
    b = _fitted(x, y)
    return ControlledWins(1 / (1 + math.exp(-b[0])), float(y.mean()), b[1:])


def _fitted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The coefficients of a logistic regression, (K + 1,): Newton's steps from 0 have no need to be shortened."""
    b = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = np.exp(-np.logaddexp(0, -(x @ b)))
        curvature = (x * (p * (1 - p))[:, None]).T @ x
        if np.abs(b).max() > FARTHEST or np.linalg.cond(curvature) > 1 / CLOSE:
            raise DataError(
                "preferred", "wins and losses at like differences", "a difference that tells all of them apart",
                "More examples, or one difference less.",
            )  # fmt: skip
        step = np.linalg.solve(curvature, x.T @ (y - p))
        b = b + step
        if np.abs(step).max() <= CLOSE * (1 + np.abs(b).max()):
            break
    return b
