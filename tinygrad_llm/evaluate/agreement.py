"""Agreement: whether people who judge the same things say the same, beyond what chance would have them say.

    kappa = 1 - observed disagreement / disagreement expected of chance

1 is full agreement and 0 that of chance; below 0 they agree less than chance. Where chance alone leaves no
disagreement, everybody having said the same always, it has no value: NaN.

    Cohen's kappa         two raters; chance gives each rater the labels as often as that rater does
    Fleiss' kappa         n raters a thing, not always the same ones; one chance for all raters
    Krippendorff's alpha  any raters, with gaps; the distance of two values says how much they disagree

Source: Cohen, "A Coefficient of Agreement for Nominal Scales", 1960, and "Weighted Kappa", 1968; Fleiss, "Measuring
Nominal Scale Agreement Among Many Raters", 1971; Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate.numbers import number_array, whole_array

WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda apart: (apart != 0).astype(float),
    "linear": np.abs,
    "quadratic": np.square,
}
"""How much two labels disagree that stand so many places apart."""
LEVELS = ("nominal", "ordinal", "interval")


def cohen_kappa(
    first: Sequence[Any], second: Sequence[Any], *, weights: str = "none", labels: Sequence[Any] | None = None
) -> float:
    """Of two raters' labels of the same N things, (N,) each.

    weights  "none" counts each disagreement alike, "linear" and "quadratic" by how many places apart the labels are.
    labels   all that there are, in their order; those that occur, sorted, where None.

    Raises DataError where the two are not of one length, for none, and for a label that is not one; ArgumentError for
    other weights.
    """
    if weights not in WEIGHTS:
        raise ArgumentError("weights", f"one of {', '.join(WEIGHTS)}", repr(weights))
    if len(first) != len(second) or not len(first):
        raise DataError("second", f"{len(first) or 'at least one'} labels, one a thing, as the first", len(second))
    order = {label: i for i, label in enumerate(sorted({*first, *second}) if labels is None else labels)}
    for name, given in (("first", first), ("second", second)):
        for label in given:
            if label not in order:
                raise DataError(name, f"one of the labels {list(order)}", repr(label))
    together = np.zeros((len(order), len(order)))
    np.add.at(together, ([order[label] for label in first], [order[label] for label in second]), 1)
    by_chance = np.outer(together.sum(1), together.sum(0)) / len(first)
    place = np.arange(len(order))
    apart = WEIGHTS[weights](place[:, None] - place)
    return _beyond_chance(float((apart * together).sum()), float((apart * by_chance).sum()))


def fleiss_kappa(counts: Any) -> float:
    """Of counts (N, C): how many raters gave thing n the label c; all things have as many raters, two or more.

        1 - kappa = (1 - mean of P_n) / (1 - sum of p_c²),  P_n = sum over c of n_c (n_c - 1) / (r (r - 1))

    P_n is the share of pairs of raters that agree on thing n, p_c the share of all ratings that are c, r the raters.

    Raises DataError for counts that are not whole, and for things with other numbers of raters or one; ShapeError.
    """
    counts = whole_array("counts", counts, "NC")
    raters = counts.sum(1)
    if raters.min() != raters.max() or raters[0] < 2:
        raise DataError("counts", "rows of one sum, of at least 2 raters", f"sums {raters.min()} to {raters.max()}")
    agreed = (counts * (counts - 1)).sum(1) / (raters * (raters - 1))
    shares = counts.sum(0) / counts.sum()
    return _beyond_chance(float(1 - agreed.mean()), float(1 - (shares**2).sum()))


def krippendorff_alpha(ratings: Any, level: str = "nominal") -> float:
    """Of ratings (R, N) by rater and thing, NaN where a rater did not judge one.

        alpha = 1 - (n - 1) · sum of o_ck δ²(c, k) / sum of n_c n_k δ²(c, k)
        o_ck  = sum over things of (pairs of raters who said c and k) / (raters of the thing - 1)
        n_c   = sum over k of o_ck, the ratings c that have another beside them

    level  what the values are: "nominal", names, δ² = 1 where they differ; "ordinal", ranks, δ = the ratings from c to
           k, those of c and k by half; "interval", numbers, δ = c - k.

    Raises DataError where no thing has two ratings, ArgumentError for another level, ShapeError.
    """
    if level not in LEVELS:
        raise ArgumentError("level", f"one of {', '.join(LEVELS)}", repr(level))
    ratings = number_array("ratings", ratings, "CN")
    ratings = ratings[:, (~np.isnan(ratings)).sum(0) > 1]  # what one rater judged agrees with nothing
    if not ratings.size:
        raise DataError("ratings", "two raters or more of at least one thing", "none")
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = (ratings[None] == values[:, None, None]).sum(1)  # (values, N)
    pairs = (counts / (counts.sum(0) - 1)) @ counts.T  # o_ck where c is not k: elsewhere nothing is far from itself
    totals = counts.sum(1)
    distance = _squared_distance(values, totals, level)
    expected = totals @ distance @ totals / (totals.sum() - 1)
    return _beyond_chance(float((pairs * distance).sum()), float(expected))


def _squared_distance(values: np.ndarray, totals: np.ndarray, level: str) -> np.ndarray:
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "ordinal":
        middle = np.cumsum(totals) - totals / 2
        return np.square(middle[:, None] - middle)
    return np.square(values[:, None] - values)


def _beyond_chance(disagreed: float, by_chance: float) -> float:
    return 1 - disagreed / by_chance if by_chance else float("nan")
