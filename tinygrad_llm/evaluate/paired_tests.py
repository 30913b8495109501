"""Two models on the same examples: would a difference as large come by chance, were the two the same?

    randomization  p = how often |difference| is at least as large when a coin says, of each example, whether the two
                   results are swapped
    sign           p = how often heads and tails of a fair coin differ by as much as wins and losses

Both are right for any N and any distribution. The first uses how large the differences are, and needs a score that can
be computed again; the second only who was better. Source: Noreen, "Computer-Intensive Methods for Testing Hypotheses",
1989; Yeh, "More accurate tests for the statistical significance of result differences", 2000; Dixon and Mood, "The
Statistical Sign Test", 1946.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.evaluate.bootstrap import Statistic, mean, pair
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.ranges import check_whole

ROUNDING = 1e-12
"""Differences that are as large but for the order of adding count as equal."""


@dataclass(frozen=True)
class SignTest:
    """wins and losses of the first, ties, and the two-sided p_value, in which ties have no part."""

    wins: int
    losses: int
    ties: int
    p_value: float


def randomization_test(
    first: Any, second: Any, statistic: Statistic = mean, *, rounds: int = 9999, rng: np.random.Generator
) -> float:
    """The two-sided p-value of the difference of a statistic of rows (N, ...), as `paired_bootstrap` takes them.

    Where there are no more than `rounds` ways to swap, 2^N, all are tried and the value is exact. Else so many are
    drawn and p = (1 + those as large) / (1 + rounds), never 0.

    Raises ShapeError where the two have not the same shape, DataError for no rows, ArgumentError for the rounds.
    """
    check_whole(rounds=rounds)
    first, second = pair(first, second)
    count, wide = len(first), (-1,) + (1,) * (first.ndim - 1)
    exact = count < 64 and 2**count <= rounds
    if exact:
        swaps = (np.arange(2**count)[:, None] >> np.arange(count)) & 1 == 1
    else:
        swaps = rng.integers(2, size=(rounds, count), dtype=bool)
    scores = statistic(first), statistic(second)
    least = abs(scores[0] - scores[1]) - ROUNDING * (abs(scores[0]) + abs(scores[1]))
    as_large = 0
    for swap in swaps:
        swap = swap.reshape(wide)
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        as_large += bool(abs(statistic(one) - statistic(other)) >= least)
    return as_large / len(swaps) if exact else (1 + as_large) / (1 + rounds)


def sign_test(first: Any, second: Any) -> SignTest:
    """Of one score an example, (N,) each: wins, losses, ties, and

        p = min(1, 2 · sum over i ≤ min(wins, losses) of C(n, i) / 2^n),  n = wins + losses

    Raises ShapeError where the two have not the same shape, DataError for none.
    """
    first, second = pair(finite_array("first", first, "N"), second)
    wins, losses = int((first > second).sum()), int((first < second).sum())
    count = wins + losses
    tail, ways = 0, 1  # whole numbers of any size: C(n, i + 1) = C(n, i) (n - i) / (i + 1)
    for i in range(min(wins, losses) + 1):
        tail, ways = tail + ways, ways * (count - i) // (i + 1)
    return SignTest(wins, losses, len(first) - count, min(1.0, 2 * tail / 2**count))
