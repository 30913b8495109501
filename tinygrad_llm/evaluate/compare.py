"""Two models on the same examples: which is better, by how much, and whether that may be chance.

    compared = compare(["bleu", "f1"], first, second, references, rng=np.random.default_rng(0))

Each metric has the difference, its interval, a p-value, and how many examples each side wins. Two tests are known by
name: "randomization" swaps the two answers of each example by a coin, "bootstrap" draws examples; `paired_tests` and
`bootstrap` say how. Whoever looks at many metrics finds one below 0.05 by chance alone, one in twenty where there is
nothing; so beside p stands Holm's p, which holds for all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.bootstrap import Statistic, paired_bootstrap
from tinygrad_llm.evaluate.jackknife import jackknife_interval
from tinygrad_llm.evaluate.measure import BOOTSTRAP, JACKKNIFE, checked_texts, chosen_metrics
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.evaluate.paired_tests import randomization_test
from tinygrad_llm.evaluate.rows import Progress, silently

TESTS = {"randomization": "approximate randomization", "bootstrap": "paired bootstrap"}
"""The tests by name, and what to call them in a report."""
TIE = 1e-12
"""Scores of one example that are as near count as equal."""


@dataclass(frozen=True)
class Compared:
    """name, label, lower  as of Measured.
    first, second  the scores.
    difference     the first less the second, with low and high, the ends of its interval.
    interval       "bootstrap" or "jackknife".
    p_value        two-sided, by the test.
    holm           the same, for all metrics that were compared at once.
    wins, ties, losses  examples on which the first is better, as good, worse.
    """

    name: str
    label: str
    lower: bool
    first: float
    second: float
    difference: float
    low: float
    high: float
    interval: str
    p_value: float
    holm: float
    wins: int
    ties: int
    losses: int


def compare(
    names: Sequence[str],
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[str | Sequence[str]] | None,
    *,
    test: str = "randomization",
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
    progress: Progress = silently,
) -> list[Compared]:
    """The metrics that are named, or all that apply, of two models' candidates for the same examples.

    Raises ArgumentError for a name, a test, the confidence or the resamples; DataError for texts that are none, and
    where the second has not one candidate for each of the first.
    """
    others = checked_texts(first, references)
    checked_texts(second, references)
    if len(first) != len(second):
        raise DataError("second", f"{len(first)} candidates, one for each of the first", len(second))
    seed, found = int(rng.integers(2**63)), []
    for metric in progress(chosen_metrics(names, len(first), references is not None), "metrics"):
        (one, other), statistic = metric.prepare([first, second], others, progress)
        found.append(
            _compared(one, other, statistic, metric.name, metric.label, metric.lower, test, confidence, resamples, seed)
        )
    return with_holm(found)


def compare_rows(
    name: str,
    label: str,
    first: Any,
    second: Any,
    statistic: Statistic,
    *,
    lower: bool = False,
    test: str = "randomization",
    confidence: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator,
) -> Compared:
    """A score of rows (N, ...) that is in no table, of two models.  Raises as `compare`; ShapeError."""
    one, other = finite_array("first", first), finite_array("second", second)
    seed = int(rng.integers(2**63))
    return _compared(one, other, statistic, name, label, lower, test, confidence, resamples, seed)


def _compared(
    one: np.ndarray, other: np.ndarray, statistic: Statistic, name: str, label: str, lower: bool, test: str,
    confidence: float, resamples: int, seed: int,
) -> Compared:  # fmt: skip
    if test not in TESTS:
        raise ArgumentError("test", " or ".join(TESTS), repr(test))
    scores = float(statistic(one)), float(statistic(other))
    difference, interval = scores[0] - scores[1], BOOTSTRAP
    left_out: Any = getattr(statistic, "left_out", None)
    if left_out is not None and test == "bootstrap":
        test = "randomization"  # what no bootstrap fits
    rng = np.random.default_rng(seed)
    if left_out is None:
        drawn = paired_bootstrap(one, other, statistic, confidence=confidence, resamples=resamples, rng=rng)
        low, high, p_value = drawn.low, drawn.high, drawn.p_value
    elif len(one) > 1:
        interval = JACKKNIFE
        ends = jackknife_interval(difference, left_out(one) - left_out(other), confidence=confidence)
        low, high = ends.low, ends.high
    else:
        interval, low, high = JACKKNIFE, difference, difference
    if test == "randomization":
        p_value = randomization_test(one, other, statistic, rounds=resamples, rng=rng)
    better = np.array([float(statistic(a[None])) - float(statistic(b[None])) for a, b in zip(one, other)])
    better = -better if lower else better
    counts = int((better > TIE).sum()), int((np.abs(better) <= TIE).sum()), int((better < -TIE).sum())
    return Compared(
        name, label, lower, *scores, difference, float(low), float(high), interval, p_value, p_value, *counts
    )


def with_holm(compared: Sequence[Compared]) -> list[Compared]:
    """The same, each with the p-value that holds for all of them together."""
    if not compared:
        return []
    return [replace(one, holm=float(p)) for one, p in zip(compared, holm([one.p_value for one in compared]))]


def holm(p_values: Any) -> np.ndarray:
    """p-values of several tests such that one below a level means that, by chance, any at all is as seldom as that.

        p'_(i) = min(1, max over j <= i of (m - j + 1) · p_(j)),  p_(1) <= … <= p_(m)

    (m,) -> (m,), in the order given. It asks for nothing about how the tests hang together. Source: Holm, "A Simple
    Sequentially Rejective Multiple Test Procedure", 1979.

    Raises DataError for none, and for what is no probability.
    """
    p = finite_array("p_values", p_values, "N")
    if p.min() < 0 or p.max() > 1:
        raise DataError("p_values", "probabilities from 0 to 1", f"{p.min():g} to {p.max():g}")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1, np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]))
    out = np.empty_like(p)
    out[order] = stepped
    return out
