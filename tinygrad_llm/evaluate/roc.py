"""A classifier that gives scores: where to put its threshold, and how good it is without one.

    TPR = share of the positive that are called so     FPR = share of the negative that are called so, wrongly
    AUC = P(score of a positive > score of a negative) + P(they are equal) / 2

Whoever calls positive what scores at least t has a TPR and an FPR; the curve of the two over all t is the ROC. The area
under it, the AUC, is 1 where the scores part the two sorts, 1/2 where they know nothing. Both do not see how rare the
positive are. Source: Fawcett, "An Introduction to ROC Analysis", 2006; Hanley and McNeil, "The Meaning and Use of the
Area under a Receiver Operating Characteristic (ROC) Curve", 1982.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.numbers import finite_array, label_array


@dataclass(frozen=True)
class ROC:
    """thresholds  (C + 1,) infinity, at which nothing is positive, and then the different scores, the largest first.
    fpr, tpr    (C + 1,) of what scores at least that much; from 0 to 1.
    """

    thresholds: np.ndarray
    fpr: np.ndarray
    tpr: np.ndarray

    @property
    def auc(self) -> float:
        """The area under the curve, by straight lines between its points."""
        return float(np.sum(np.diff(self.fpr) * (self.tpr[1:] + self.tpr[:-1]) / 2))


def roc_curve(scores: Any, labels: Any) -> ROC:
    """The curve of scores, (N,), the larger, the more likely positive; labels, (N,): 1 or True where positive, else 0.

    Equal scores are one point: no threshold parts them.

    Raises DataError where one of the two sorts is missing or a label is none, ShapeError, NonFiniteError.
    """
    scores = finite_array("scores", scores, "N")
    labels = label_array("labels", labels, len(scores), 2)
    values, place = np.unique(-scores, return_inverse=True)
    positive = np.bincount(place, labels, len(values))
    negative = np.bincount(place, minlength=len(values)) - positive
    if not positive.sum() or not negative.sum():
        raise DataError("labels", "some positive and some negative", f"only {int(labels[0])}", "No curve without both.")
    fpr, tpr = (np.concatenate([[0.0], part.cumsum() / part.sum()]) for part in (negative, positive))
    return ROC(np.concatenate([[math.inf], -values]), fpr, tpr)


def roc_auc(scores: Any, labels: Any) -> float:
    """The area under the ROC: how often a positive scores above a negative; equals count half.  As `roc_curve`."""
    return roc_curve(scores, labels).auc


def threshold_for(scores: Any, labels: Any, tpr: float) -> float:
    """The largest threshold that finds at least this share of the positive: what scores at least that is called so.

    On other examples it finds about as many, if they are drawn alike.

    Raises ArgumentError for a share that is not above 0 and at most 1; else as `roc_curve`.
    """
    if not 0 < tpr <= 1:
        raise ArgumentError("tpr", "a share above 0, at most 1", tpr)
    curve = roc_curve(scores, labels)
    return float(curve.thresholds[np.argmax(curve.tpr >= tpr * (1 - 1e-12))])
