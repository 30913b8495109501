"""Calibration: of what a model calls likely to 80 percent, do 80 percent happen?

    ECE   = sum over bins of (examples in it / N) · |accuracy - mean confidence|     expected calibration error
    Brier = mean over examples of (p - y)²; of several classes, of the sum over them

The ECE depends on the bins: say how many. A model that always says how often a class occurs has an ECE of 0 and knows
nothing; the Brier score sees that. Source: Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950;
Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015; Guo et al., "On Calibration of
Modern Neural Networks", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.numbers import finite_array, label_array
from tinygrad_llm.ranges import check_whole


@dataclass(frozen=True)
class Reliability:
    """edges       (bins + 1,) from 0 to 1; a bin holds its lower edge, the last one 1 as well.
    counts      (bins,) examples.
    confidence  (bins,) their mean, NaN where there are none.
    accuracy    (bins,) the share of them that was right, NaN where there are none.
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    def gaps(self) -> np.ndarray:
        """|accuracy - confidence| of each bin; 0 where it is empty."""
        return np.nan_to_num(np.abs(self.accuracy - self.confidence))


def reliability(confidence: Any, right: Any, bins: int = 15) -> Reliability:
    """What the model said and what happened, in bins of one width.

    confidence  (N,) the probability of the answer that the model gave, 0 to 1.
    right       (N,) 1 or True where that was right, else 0 or False.

    Raises ArgumentError for the bins, DataError for none or for values outside, ShapeError, NonFiniteError.
    """
    check_whole(bins=bins)
    confidence = probabilities("confidence", confidence, "N")
    right = label_array("right", right, len(confidence), 2)
    edges = np.linspace(0, 1, bins + 1)
    place = np.minimum(np.searchsorted(edges, confidence, side="right") - 1, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that an empty bin has
        means = [np.bincount(place, weights, bins) / counts for weights in (confidence, right)]
    return Reliability(edges, counts, *means)


def calibration_error(confidence: Any, right: Any, bins: int = 15, norm: str = "mean") -> float:
    """The ECE, 0 to 1, of `reliability`'s bins; with norm="max" the largest gap of any bin instead.

    Raises ArgumentError for another norm, else as `reliability`.
    """
    if norm not in ("mean", "max"):
        raise ArgumentError("norm", "mean or max", repr(norm))
    found = reliability(confidence, right, bins)
    gaps = found.gaps()
    return float(gaps.max()) if norm == "max" else float((gaps * found.counts).sum() / found.counts.sum())


def brier_score(p: Any, labels: Any) -> float:
    """From 0, sure and right, to 1 for p (N,) of one class, with labels (N,) of 1 where it is and else 0; to 2 for p
    (N, C) of all classes, with labels (N,) of their numbers.

    Raises DataError for values outside 0 to 1, rows whose sum is not 1, labels that are none; ShapeError.
    """
    p = probabilities("p", p, "N" if np.ndim(p) == 1 else "NC")
    y = label_array("labels", labels, len(p), 2 if p.ndim == 1 else p.shape[1])
    if p.ndim == 1:
        return float(np.square(p - y).mean())
    if not np.allclose(p.sum(1), 1, rtol=0, atol=1e-6):
        raise DataError("p", "rows whose sum is 1", f"sums {p.sum(1).min():g} to {p.sum(1).max():g}")
    return float(np.square(p - np.eye(p.shape[1])[y]).sum(1).mean())


def probabilities(name: str, values: Any, axes: str) -> np.ndarray:
    """The values as an array.  Raises DataError for some outside 0 to 1, else as `finite_array`."""
    p = finite_array(name, values, axes)
    if p.min() < 0 or p.max() > 1:
        raise DataError(name, "probabilities from 0 to 1", f"{p.min():g} to {p.max():g}")
    return p
