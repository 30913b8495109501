"""Associations of two groups of words: WEAT, and the test of regroupings that it rests on.

Word vectors say how near two words are. The *Word Embedding Association Test* asks of two groups of targets X and Y,
names for instance, whether one is nearer to attributes A than to attributes B, compared with the other:

    s(w, A, B)    = mean over a in A of cos(w, a)  -  mean over b in B of cos(w, b)
    s(X, Y, A, B) = sum over x in X of s(x, A, B)  -  sum over y in Y of s(y, A, B)
    d             = (mean over X of s(x, A, B) - mean over Y of s(y, A, B)) / std over X and Y of s(w, A, B)
    p             = the share of ways to part X and Y anew into groups of these sizes with s as large, or larger

d is the effect size, in standard deviations, and between groups of one size never beyond 2. p is one-sided: it asks
whether X is nearer to A, not whether Y is.

Source: Caliskan, Bryson and Narayanan, "Semantics derived automatically from language corpora contain human-like
biases", Science 356, 2017. In three things we say what the paper leaves open, or do it otherwise. The standard
deviation is that of a sample, with n - 1. A way that gives the same s counts too, the one that is there among them, so
that p is never 0 and, where names are exchangeable, at most 5 of 100 corpora have p at most 0.05; the paper writes
"larger". And the groups need not be of one size: the statistic of the test is then the difference of the means, which
orders the ways as the sums do where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from math import comb
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.ranges import check_whole

ROUNDING = 1e-12
"""Statistics that are as large but for the order of adding count as equal, relative to what is added."""


@dataclass(frozen=True)
class Regrouped:
    """difference  the mean of the first group less that of the second.
    effect      the difference in standard deviations of all scores; 0 where there is no difference at all.
    p_value     one-sided: how often a way to regroup gives as much, or more.
    ways        how many ways were looked at; `exact` where that is all there are.
    """

    difference: float
    effect: float
    p_value: float
    ways: int
    exact: bool


@dataclass(frozen=True, eq=False)
class WEAT(Regrouped):
    """What WEAT finds. Besides: s(w, A, B) of each target, (N,), those of X first; and the statistic s(X, Y, A, B)."""

    associations: np.ndarray
    statistic: float


def associations(targets: Any, a: Any, b: Any) -> np.ndarray:
    """s(w, A, B) = mean cos(w, a) - mean cos(w, b).  (N, D), (P, D), (Q, D) -> (N,)

    Raises ShapeError for vectors of different widths, DataError for none or one of length 0.
    """
    targets, a, b = _unit("targets", targets), _unit("a", a), _unit("b", b)
    if not targets.shape[1] == a.shape[1] == b.shape[1]:
        raise ShapeError("b", f"vectors of width {targets.shape[1]}", (a.shape, b.shape))
    return (targets @ a.T).mean(1) - (targets @ b.T).mean(1)


def weat(x: Any, y: Any, a: Any, b: Any, *, most: int = 50_000, rng: np.random.Generator | None = None) -> WEAT:
    """The Word Embedding Association Test of vectors (N, D), (M, D), (P, D), (Q, D).

    most, rng  as `regroup` takes them.
    """
    first, second = associations(x, a, b), associations(y, a, b)
    found = regroup(first, second, most=most, rng=rng)
    statistic = float(first.sum() - second.sum())
    return WEAT(**vars(found), associations=np.concatenate([first, second]), statistic=statistic)


def regroup(first: Any, second: Any, *, most: int = 50_000, rng: np.random.Generator | None = None) -> Regrouped:
    """Is one group's mean higher than that of another, by more than a regrouping of all would give?  (N,), (M,)

    One score each: an association, a probability, a share of answers. Where there are no more than `most` ways to
    regroup, C(N + M, N), all are looked at and p is exact. Else so many are drawn, and p = (1 + those as large) /
    (1 + most).

    Raises ShapeError for scores that are not one each, DataError for none, ArgumentError where ways have to be drawn
    and there is no rng.
    """
    check_whole(most=most)
    first, second = finite_array("first", first, "N"), finite_array("second", second, "N")
    scores, size = np.concatenate([first, second]), len(first)
    difference, spread = float(first.mean() - second.mean()), float(scores.std(ddof=1))
    least = first.sum() - ROUNDING * np.abs(scores).sum()  # the sum of a group orders the ways as its mean does
    ways = comb(len(scores), size)
    exact = ways <= most
    if exact:
        p = _as_large(scores, size, least) / ways
    elif rng is None:
        raise ArgumentError("rng", f"a generator: of {ways:,} ways {most:,} are to be drawn", None)
    else:
        ways = most
        drawn = sum(int(scores[rng.permutation(len(scores))[:size]].sum() >= least) for _ in range(most))
        p = (1 + drawn) / (1 + most)
    return Regrouped(difference, difference / spread if spread else 0.0, p, ways, exact)


def _as_large(scores: np.ndarray, size: int, least: float) -> int:
    """Of all ways to choose so many of the scores, those whose sum is `least` or more."""
    return int((scores[_ways(len(scores), size)].sum(1) >= least).sum())


@lru_cache(maxsize=4)
def _ways(count: int, size: int) -> np.ndarray:
    """All ways to choose so many of `count`, one a row: the same for every corpus.  -> (C(count, size), size)"""
    chosen = np.fromiter(chain.from_iterable(combinations(range(count), size)), np.int32)
    return chosen.reshape(-1, size)


def _unit(name: str, vectors: Any) -> np.ndarray:
    """Vectors at length one, (N, D)."""
    found = finite_array(name, vectors)
    if found.ndim != 2:
        raise ShapeError(name, "(N, D), a vector a row", found.shape)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not lengths.all():
        raise DataError(name, "vectors that have a direction", f"{int((lengths == 0).sum())} of length 0")
    return found / lengths
