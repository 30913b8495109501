"""Texts and their scores: each metric with its interval, over one set of examples.

    measured = measure(["bleu", "f1"], candidates, references, rng=np.random.default_rng(0))

The same examples are drawn for every metric, whichever others are asked for: an interval does not depend on its
neighbours in the table.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.bootstrap import Interval, Statistic, bootstrap_interval
from tinygrad_llm.evaluate.calibration import brier_score, calibration_error, probabilities, reliability
from tinygrad_llm.evaluate.jackknife import jackknife_interval
from tinygrad_llm.evaluate.numbers import finite_array, label_array
from tinygrad_llm.evaluate.rows import METRICS, Progress, TextMetric, silently
from tinygrad_llm.evaluate.texts import check_list, check_text, text_pairs

BOOTSTRAP, JACKKNIFE = "bootstrap", "jackknife"


@dataclass(frozen=True)
class Measured:
    """name, label  by which it is asked for, and for tables.
    score       with low and high, the ends of its interval.
    interval    "bootstrap" or "jackknife": how these were found.
    most        the largest score there is, 0 where there is no end.
    lower       whether less is better.
    signature   what to quote beside the number.
    """

    name: str
    label: str
    score: float
    low: float
    high: float
    interval: str
    most: int
    lower: bool
    signature: str


def chosen_metrics(names: Sequence[str], count: int, has_references: bool) -> list[TextMetric]:
    """Those that are named, each once; where none is, all that apply to so many texts.

    Raises ArgumentError for a name that is none, DataError for one that does not apply.
    """
    for name in names:
        if name not in METRICS:
            near = difflib.get_close_matches(name, METRICS, 1)
            raise ArgumentError(
                "metric", f"one of {', '.join(METRICS)}", repr(name), f"Did you mean {near[0]}?" if near else ""
            )
    if not names:
        known = METRICS.values()
        return [m for m in known if count >= m.needs_texts and (has_references or not m.needs_references)]
    wanted = [METRICS[name] for name in dict.fromkeys(names)]
    for metric in wanted:
        if metric.needs_references and not has_references:
            raise DataError("references", f"one a candidate, for {metric.label}", "none")
        if count < metric.needs_texts:
            raise DataError("candidates", f"at least {metric.needs_texts}, for {metric.label}", count)
    return wanted


def checked_texts(candidates: Sequence[str], references: Sequence[str | Sequence[str]] | None) -> list[list[str]]:
    """The references as lists.  Raises DataError for what is no text, and for other numbers of them."""
    if references is not None:
        return [others for _, others in text_pairs(candidates, references)]
    check_list("candidates", candidates)
    for place, text in enumerate(candidates):
        check_text(f"candidates[{place}]", text)
    if not len(candidates):
        raise DataError("candidates", "at least one", "none")
    return []


def measure(
    names: Sequence[str],
    candidates: Sequence[str],
    references: Sequence[str | Sequence[str]] | None,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
    progress: Progress = silently,
) -> list[Measured]:
    """The metrics that are named, or all that apply, of candidates with one reference each, several, or None.

    Raises ArgumentError for a name, the confidence or the resamples, DataError for texts that are none.
    """
    others = checked_texts(candidates, references)
    seed, found = int(rng.integers(2**63)), []
    for metric in progress(chosen_metrics(names, len(candidates), references is not None), "metrics"):
        (rows,), statistic = metric.prepare([candidates], others, progress)
        interval, how = interval_of(rows, statistic, confidence, resamples, np.random.default_rng(seed))
        found.append(
            Measured(
                metric.name, metric.label, float(interval.score), float(interval.low), float(interval.high), how,
                metric.most, metric.lower, metric.signature,
            )
        )  # fmt: skip
    return found


def interval_of(
    rows: np.ndarray, statistic: Statistic, confidence: float, resamples: int, rng: np.random.Generator
) -> tuple[Interval, str]:
    """The interval of a score of rows (N, ...), and how it was found.

    A statistic with a method `left_out` has the jackknife's. A single row has no neighbours: its interval is the score.
    """
    left_out: Any = getattr(statistic, "left_out", None)
    if left_out is None:
        return bootstrap_interval(rows, statistic, confidence=confidence, resamples=resamples, rng=rng), BOOTSTRAP
    score = float(statistic(rows))
    if len(rows) < 2:
        return Interval(score, score, score), JACKKNIFE
    found = jackknife_interval(score, left_out(rows), confidence=confidence)
    return Interval(score, max(0.0, found.low), min(1.0, found.high)), JACKKNIFE  # both such scores are shares


def measure_rows(
    name: str,
    label: str,
    rows: Any,
    statistic: Statistic,
    *,
    most: int,
    lower: bool = False,
    signature: str = "",
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
) -> Measured:
    """A score of rows (N, ...) that is in no table.  Raises as `bootstrap_interval`."""
    found, how = interval_of(finite_array("rows", rows), statistic, confidence, resamples, rng)
    return Measured(name, label, float(found.score), float(found.low), float(found.high), how, most, lower, signature)


def ratio(rows: np.ndarray) -> float:
    """The sum of the first column over that of the second: bits over bytes.  (N, 2) -> ()"""
    first, second = rows.sum(0)
    return float(first / second)


class CalibrationOf:
    """The ECE of rows (N, 2), confidence and right. Drawing examples twice makes bins look worse: see `jackknife`."""

    def __call__(self, rows: np.ndarray) -> float:
        return calibration_error(rows[:, 0], rows[:, 1])

    def left_out(self, rows: np.ndarray) -> np.ndarray:
        """The ECE without each example.  (N, 2) -> (N,)

            (sum over bins of |D| - |D_i| + |D_i - d_i|) / (N - 1)

        d = confidence - right of an example, D its sum over a bin, D_i that of the bin in which example i lies.
        """
        apart, edges = rows[:, 0] - rows[:, 1], reliability(rows[:, 0], rows[:, 1]).edges
        place = np.minimum(np.searchsorted(edges, rows[:, 0], side="right") - 1, len(edges) - 2)
        sums = np.bincount(place, apart, len(edges) - 1)
        return (np.abs(sums).sum() - np.abs(sums[place]) + np.abs(sums[place] - apart)) / (len(rows) - 1)


def measure_confidence(
    confidences: Any,
    right: Any,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
) -> list[Measured]:
    """How well what a model thinks of its answers fits: ECE and Brier score, from p (N,) and right (N,), 1 or 0.

    Raises DataError for values outside, ShapeError, NonFiniteError.
    """
    p = probabilities("confidence", confidences, "N")
    rows = np.stack([p, label_array("right", right, len(p), 2)], 1).astype(np.float64)
    common: dict[str, Any] = {"most": 1, "lower": True, "confidence": confidence, "resamples": resamples}
    return [
        measure_rows(
            "ece", "calibration error", rows, CalibrationOf(), signature="15 bins of one width", rng=rng, **common
        ),
        measure_rows(
            "brier", "Brier score", rows, lambda drawn: brier_score(drawn[:, 0], drawn[:, 1]),
            signature="of the answer that was given", rng=rng, **common,
        ),
    ]  # fmt: skip
