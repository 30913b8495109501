"""Recalibration: a function put behind a model that makes it calibrated, fitted on examples it was not trained on.

    temperature  softmax(logits / T), with the T of the greatest likelihood: one number, and no answer changes
    isotonic     of all functions that never fall the one of the least squared error, by pooling adjacent violators

Source: Guo et al., "On Calibration of Modern Neural Networks", 2017; Zadrozny and Elkan, "Transforming Classifier
Scores into Accurate Multiclass Probability Estimates", 2002; Ayer et al., "An Empirical Distribution Function for
Sampling with Incomplete Information", 1955.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import DataError, ShapeError
from tinygrad_llm.evaluate.numbers import finite_array, label_array

CLOSE = 1e-14
"""Halving ends where the two ends differ by no more than so much of the whole."""


def fit_temperature(logits: Any, labels: Any) -> float:
    """The T > 0 for which softmax(logits / T) gives the labels their greatest likelihood.

    The mean negative log-likelihood L is convex in b = 1 / T, so its slope is 0 once, and halving finds where:

        dL/db = mean of (E[l] - l_y), E under softmax(b l)

    logits  (N, C), of N examples and C classes.
    labels  (N,), the right class of each.

    Raises DataError for labels that are none, and where the likelihood has no greatest value at a T above 0: when the
    largest logit is the right one always, T = 0 is better than any, and when the right ones are no larger than the
    others, T = infinity. ShapeError, NonFiniteError.
    """
    logits = finite_array("logits", logits, "NC")
    labels = label_array("labels", labels, *logits.shape)
    right = logits[np.arange(len(logits)), labels]
    if (right == logits.max(1)).all() or right.mean() <= logits.mean():
        which = "0: all are right" if (right == logits.max(1)).all() else "infinity: they say nothing of the labels"
        raise DataError("logits", "some wrong answers, and right logits above the mean", f"best at temperature {which}")
    logits, scale = logits / np.ptp(logits), np.ptp(logits)
    low, high = 0.0, 1.0
    while _slope(high, logits, labels) < 0:
        low, high = high, 2 * high
    while high - low > CLOSE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _slope(middle, logits, labels) < 0 else (low, middle)
    return float(2 * scale / (low + high))


def _slope(b: float, logits: np.ndarray, labels: np.ndarray) -> float:
    """Of the mean negative log-likelihood under softmax(b · logits)."""
    p = np.exp(b * (logits - logits.max(1, keepdims=True)))
    p /= p.sum(1, keepdims=True)
    return float(((p * logits).sum(1) - logits[np.arange(len(labels)), labels]).mean())


@dataclass(frozen=True)
class Isotonic:
    """x  (K,) ascending, and y (K,), never falling, the values there."""

    x: np.ndarray
    y: np.ndarray

    def __call__(self, x: Any) -> np.ndarray:
        """The values at x: straight lines between those known, the first and the last one outside.  (...) -> (...)"""
        return np.interp(finite_array("x", x), self.x, self.y)


def fit_isotonic(x: Any, y: Any, weights: Any = None) -> Isotonic:
    """The function that never falls and has the least sum of weights · (y - f(x))², of (N,) each.

    x of one value count as one, with the mean of their y. From left to right: as long as a block's mean is not above
    that of the block before, the two are one block.

    Raises ShapeError where they are not of one length, DataError for none and for weights of 0 or less; NonFiniteError.
    """
    x, y = finite_array("x", x, "N"), finite_array("y", y, "N")
    weights = np.ones_like(x) if weights is None else finite_array("weights", weights, "N")
    for name, given in (("y", y), ("weights", weights)):
        if given.shape != x.shape:
            raise ShapeError(name, f"{x.shape}, as x", given.shape)
    if weights.min() <= 0:
        raise DataError("weights", "numbers above 0", f"{weights.min():g}")
    known, place = np.unique(x, return_inverse=True)
    weight = np.bincount(place, weights)
    return Isotonic(known, pooled(np.bincount(place, weights * y) / weight, weight))


def pooled(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The means of adjacent violators, pooled until none is above the next.  (N,) -> (N,)"""
    blocks: list[tuple[float, float, int]] = []  # sum of weights · y, sum of weights, how many
    for block in zip((weights * y).tolist(), weights.tolist(), [1] * len(y)):
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    return np.repeat([total / weight for total, weight, _ in blocks], [count for _, _, count in blocks])
