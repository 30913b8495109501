"""MAUVE: how far what a model writes is from what people write, seen from both sides.

Texts are sorted into C kinds, for instance by the clusters of their vectors, and the shares of the kinds are two
distributions, P of people and Q of the model. For every mixture of the two,

    R_w = w · P + (1 - w) · Q,   0 < w < 1

a point of the *divergence frontier* is (exp(-c · KL(Q | R_w)), exp(-c · KL(P | R_w))). KL(Q | R) is large where the
model writes what nobody does, KL(P | R) where it does not write what people do: two mistakes, and a mixture weighs
them. MAUVE is the area below the frontier, from 0 to 1: 1 where P is Q. c = 5 spreads it out, as in the paper.

Source: Pillutla et al., "MAUVE: Measuring the Gap Between Neural Text and Human Text using Divergence Frontiers", 2021.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.ranges import check_whole

EDGE = 1e-6
"""The first and last weight lie so far from 0 and 1, where a divergence may be infinite."""


def divergence_frontier(p: Any, q: Any, *, scale: float = 5.0, points: int = 25) -> np.ndarray:
    """The frontier (points + 2, 2) of two distributions over C kinds, (C,) each: from (1, 0) to (0, 1).

    p, q    counts or shares: what they sum to is divided out.
    scale   c.
    points  weights w, evenly apart from 1e-6 to 1 - 1e-6.

    Raises ShapeError where the two have not the same kinds, DataError for one below 0 or none at all, ArgumentError for
    a scale of 0 or less or fewer than two points; NonFiniteError.
    """
    check_whole(least=2, points=points)
    if not scale > 0:
        raise ArgumentError("scale", "above 0", scale)
    p, q = _shares("p", p), _shares("q", q)
    if p.shape != q.shape:
        raise ShapeError("q", f"{p.shape}, a share for each kind of p", q.shape)
    w = np.linspace(EDGE, 1 - EDGE, points)[:, None]
    mixed = w * p + (1 - w) * q  # (points, C)
    inner = np.exp(-scale * np.stack([_divergence(q, mixed), _divergence(p, mixed)], 1))
    return np.concatenate([[[1.0, 0.0]], inner, [[0.0, 1.0]]])


def mauve(p: Any, q: Any, *, scale: float = 5.0, points: int = 25) -> float:
    """The area below the frontier, by trapezoids.  As `divergence_frontier`."""
    x, y = divergence_frontier(p, q, scale=scale, points=points).T
    return float((-np.diff(x) * (y[1:] + y[:-1])).sum() / 2)


def _shares(name: str, counts: Any) -> np.ndarray:
    counts = finite_array(name, counts, "C")
    if counts.min() < 0 or not counts.any():
        raise DataError(name, "shares of at least 0, some above", f"{counts.min():g} to {counts.max():g}")
    return counts / counts.sum()


def _divergence(p: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """KL(p | m) = sum of p ln(p / m), in nats, 0 ln 0 being 0.  (C,), (W, C) -> (W,)"""
    some = p > 0
    return (p[some] * np.log(p[some] / mixed[:, some])).sum(1)
