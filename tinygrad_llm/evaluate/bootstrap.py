"""The bootstrap: how far a score would move, had the examples been others of the same kind.

As many examples as there are, N, are drawn from them with replacement, and the score is computed of these: B times.
The middle part of the B scores is the interval.

    low, high = quantiles of the B scores at (1 - confidence) / 2 and at (1 + confidence) / 2

It covers the true value about as often as it says where N is large; below some thirty examples, less often. Of two
models on the same examples, the same draws serve both: what is hard for one is hard for the other, and falls out of the
difference. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 16; Koehn,
"Statistical Significance Tests for Machine Translation Evaluation", 2004.

`rows` has one row an example: its score, or all that a score of the whole corpus is made of (matches and counts, which
the statistic adds up and divides).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ShapeError
from tinygrad_llm.evaluate.numbers import check_open_share, finite_array
from tinygrad_llm.ranges import check_whole

Statistic = Callable[[np.ndarray], Any]
"""Rows (N, ...) -> the score of them all, a number or an array."""


@dataclass(frozen=True)
class Interval:
    """score of all examples, and the low and high end of its interval: numbers, or arrays where the score is one."""

    score: Any
    low: Any
    high: Any


@dataclass(frozen=True)
class PairedBootstrap:
    """difference   the first model's score less the second's; low, high are the ends of its interval.
    wins         the share of draws in which the first is better; a tie is half a win.
    p_value      two-sided: how often a difference as large would come by chance, were there none.
    differences  (B,) one a draw.
    """

    difference: float
    low: float
    high: float
    wins: float
    p_value: float
    differences: np.ndarray


def mean(rows: np.ndarray) -> float:
    """The mean of one score an example.  (N,) -> ()"""
    if rows.ndim != 1:
        raise ShapeError(
            "rows", "(N,), one score an example", rows.shape, "Give a statistic for rows of several numbers."
        )
    return float(rows.mean())


def bootstrap_interval(
    rows: Any,
    statistic: Statistic = mean,
    *,
    confidence: float = 0.95,
    resamples: int = 9999,
    rng: np.random.Generator,
) -> Interval:
    """The percentile interval of a statistic of rows (N, ...).

    Raises ArgumentError for confidence or resamples, DataError for no rows, NonFiniteError for NaN among them.
    """
    rows = finite_array("rows", rows)
    low, high = _ends(_scores([rows], statistic, resamples, rng)[0], confidence)
    return Interval(statistic(rows), low, high)


def paired_bootstrap(
    first: Any,
    second: Any,
    statistic: Statistic = mean,
    *,
    confidence: float = 0.95,
    resamples: int = 9999,
    rng: np.random.Generator,
) -> PairedBootstrap:
    """Whether the first model's score is another than the second's, on the same examples in the same order.

        p = (1 + draws with |d* - d| ≥ |d|) / (1 + B),  d the difference, d* that of a draw

    Had there been no difference, draws would scatter around 0 as they do around d. sacrebleu centers |d*| instead,
    which calls a difference significant about twice as often as it says.

    Raises ShapeError where the two have not the same shape, else as `bootstrap_interval`.
    """
    first, second = pair(first, second)
    difference = float(statistic(first) - statistic(second))
    scores, others = _scores([first, second], statistic, resamples, rng)
    drawn = scores - others
    low, high = _ends(drawn, confidence)
    wins = float((drawn > 0).mean() + (drawn == 0).mean() / 2)
    as_far = int((np.abs(drawn - difference) >= abs(difference)).sum())
    return PairedBootstrap(difference, float(low), float(high), wins, (1 + as_far) / (1 + resamples), drawn)


def pair(first: Any, second: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two models on the same examples.  Raises ShapeError where they have not the same shape."""
    first, second = finite_array("first", first), finite_array("second", second)
    if first.shape != second.shape:
        raise ShapeError(
            "second", f"{first.shape}, as the first", second.shape, "Both are scored on the same examples."
        )
    return first, second


def _scores(every: list[np.ndarray], statistic: Statistic, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """The statistic of each of several samples, (samples, B, ...), by the same draws for all of them."""
    check_whole(resamples=resamples)
    count = len(every[0])
    draws = (rng.integers(0, count, count) for _ in range(resamples))
    return np.stack([[statistic(rows[chosen]) for rows in every] for chosen in draws], 1)


def _ends(scores: np.ndarray, confidence: float) -> np.ndarray:
    check_open_share(confidence=confidence)
    return np.quantile(scores, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
