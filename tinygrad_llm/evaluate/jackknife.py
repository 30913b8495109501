"""The jackknife: how far a score moves as each example is left out once, where drawing some twice would spoil it.

    se  = sqrt( (N - 1) / N · sum over i of (score without i - their mean)² )
    low, high = score -+ z · se,  z the normal distribution's quantile

The bootstrap draws examples with replacement, and an n-gram of a text that was drawn twice looks repeated: distinct-n
falls in every draw, and the interval lies below the score itself. Nothing is drawn twice here. Of a mean, se is its
standard error, s / sqrt(N), exactly. Of a count of kinds it is wide rather than narrow: of two models that were equally
varied, 60 texts each, the interval of the difference missed 0 one time in a hundred, where it says five.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 11.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.bootstrap import Interval
from tinygrad_llm.evaluate.numbers import check_open_share, finite_array


def standard_error(left_out: Any) -> float:
    """The jackknife's, from the score without each example, (N,) -> ().

    Raises DataError for fewer than two, NonFiniteError, ShapeError.
    """
    scores = finite_array("left_out", left_out, "N")
    if len(scores) < 2:
        raise DataError("left_out", "at least two scores, one without each example", len(scores))
    return float(np.sqrt((len(scores) - 1) / len(scores) * np.square(scores - scores.mean()).sum()))


def jackknife_interval(score: float, left_out: Any, *, confidence: float = 0.95) -> Interval:
    """The interval around a score, from the score without each example, (N,).

    Raises ArgumentError for the confidence, else as `standard_error`.
    """
    check_open_share(confidence=confidence)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * standard_error(left_out)
    return Interval(score, score - reach, score + reach)
