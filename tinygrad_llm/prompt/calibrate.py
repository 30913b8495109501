"""Contextual calibration: a prompt's own liking for some answers, measured without a question and taken out.

    p_cf = mean of p(answer | prompt with "N/A", "", … in the question's place), its sum 1
    W    = diag(p_cf)^-1,  b = 0
    q    = softmax(W p + b)

A prompt whose examples end with "positive" makes "positive" likelier whatever the question says; a question that says
nothing shows by how much. Where the question is one of those, q is even. The answer is the largest of q, and so the
largest of p / p_cf; `ratios` are these with a sum of 1, which is what Bayes' rule gives where a question's words depend
on the answer alone and p_cf is the prior. Source: Zhao et al., "Calibrate Before Use: Improving Few-Shot Performance of
Language Models", 2021, section 5. With the mean over the questions at hand instead of empty ones it is the linear form
of Zhou et al., "Batch Calibration", 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import DataError, ShapeError
from tinygrad_llm.evaluate.calibration import probabilities
from tinygrad_llm.evaluate.numbers import finite_array

CONTENT_FREE = ("N/A", "[MASK]", "")
"""The paper's questions that say nothing."""


@dataclass(frozen=True)
class ContextualCalibration:
    """content_free  p_cf, (C,), each above 0, their sum 1."""

    content_free: np.ndarray

    @classmethod
    def fit(cls, p: Any) -> ContextualCalibration:
        """From what the model thinks of the answers to questions that say nothing, (M, C) or (C,).

        A row need not have the sum 1, since a model has other words to say than the answers; it is made so first.

        Raises DataError for values outside 0 to 1 or an answer that is never possible; ShapeError, NonFiniteError.
        """
        rows = probabilities("p", np.atleast_2d(np.asarray(p, np.float64)), "NC")
        if not rows.sum(1).all():
            raise DataError("p", "some probability for an answer in each row", "a row of zeros")
        mean = (rows / rows.sum(1, keepdims=True)).mean(0)
        if not mean.all():
            got = f"0 for answer {int(np.flatnonzero(mean == 0)[0])}"
            raise DataError(
                "p", "each answer possible where the question says nothing", got, "Use more such questions."
            )
        return cls(mean / mean.sum())

    @property
    def weight(self) -> np.ndarray:
        """W = diag(p_cf)^-1, (C, C)."""
        return np.diag(1 / self.content_free)

    def __call__(self, p: Any) -> np.ndarray:
        """q = softmax(W p), as the paper has it.  (N, C) or (C,) -> the same shape, sums 1

        Raises ShapeError for other answers, DataError for values outside 0 to 1, NonFiniteError.
        """
        scores = self._checked(p) / self.content_free
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        return weights / weights.sum(-1, keepdims=True)

    def ratios(self, p: Any) -> np.ndarray:
        """p / p_cf with sums of 1: in the same order as q, and even where p is p_cf.  Raises as the call."""
        scores = self._checked(p) / self.content_free
        total = scores.sum(-1, keepdims=True)
        if not total.all():
            raise DataError("p", "some probability for an answer in each row", "a row of zeros")
        return scores / total

    def _checked(self, p: Any) -> np.ndarray:
        """p over the answers alone."""
        rows = finite_array("p", p)
        if rows.ndim not in (1, 2) or rows.shape[-1] != len(self.content_free):
            raise ShapeError("p", f"(N, C) or (C,) with C = {len(self.content_free)}", rows.shape)
        return probabilities("p", rows, "N" if rows.ndim == 1 else "NC")
