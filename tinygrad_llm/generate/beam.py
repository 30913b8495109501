"""Beam search: several beginnings are kept, not one, since the best first word need not begin the best sentence.

Greedy is a beam of width 1; a beam that drops nothing is the search through all sentences. Source: Sutskever et al.,
"Sequence to Sequence Learning with Neural Networks", 2014, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError, ShapeError

LogProbabilities = Callable[[np.ndarray], np.ndarray]
"""From prefixes (N, T) to ln p of each next token (N, V)."""


@dataclass(frozen=True)
class Hypothesis:
    """tokens           what was written after the start, the end token included where it came.
    log_probability  the sum of ln p over them.
    score            log_probability / length^power: what hypotheses are ranked by.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def best_extensions(total_N: np.ndarray, logp_NV: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `width` most probable ways to make one of N prefixes one token longer.  (N,), (N, V) -> three times (W,)

    Of each: which prefix, which token, and the new sum of ln p. The most probable comes first; of equals the earlier
    prefix, then the smaller token. What has no probability at all is no way: W may be smaller than `width`.
    """
    sums = total_N[:, None] + logp_NV
    flat = sums.reshape(-1)
    best = np.argsort(-flat, kind="stable")[:width]
    best = best[flat[best] > -math.inf]
    return best // logp_NV.shape[1], best % logp_NV.shape[1], flat[best]


def beam_search(
    log_probabilities: LogProbabilities,
    start: Sequence[int],
    end: int,
    width: int,
    max_length: int,
    length_power: float = 0.0,
) -> list[Hypothesis]:
    """The best hypotheses that a beam finds, at most `width`, the best first.

    start         what every prefix begins with; it is no part of an answer.
    end           the token that ends a hypothesis. What has not ended after max_length tokens is taken as it is.
    length_power  divides ln p by length^power. Each word costs probability, so with 0 short ones win; with 1 the mean
                  over words counts.

    A hypothesis that ends leaves its place in the beam to others. The search stops when no beginning is left that could
    still come among the best. Raises ArgumentError for a width or a length below 1, or a negative power.
    """
    for name, value, least in (("width", width, 1), ("max_length", max_length, 1), ("length_power", length_power, 0)):
        if not value >= least:
            raise ArgumentError(name, f"at least {least}", value)
    if not len(start):
        raise ArgumentError("start", "at least one token", "none")
    prefixes, totals = np.array([list(start)]), np.zeros(1)
    done: list[Hypothesis] = []
    for length in range(1, max_length + 1):
        rows, tokens, totals = best_extensions(totals, _checked(log_probabilities(prefixes), len(prefixes)), width)
        prefixes = np.concatenate([prefixes[rows], tokens[:, None]], axis=1)
        ends = (tokens == end) | (length == max_length)
        for prefix, total in zip(prefixes[ends], totals[ends]):
            written = tuple(int(t) for t in prefix[len(start) :])
            done.append(Hypothesis(written, float(total), float(total) / length**length_power))
        done = sorted(done, key=lambda h: -h.score)[:width]
        prefixes, totals = prefixes[~ends], totals[~ends]
        # ln p can only fall, and the longest length divides it by most
        hope = totals.max(initial=-math.inf) / max_length**length_power
        if not len(prefixes) or (len(done) == width and hope <= done[-1].score):
            break
    return done


def _checked(logp: np.ndarray, count: int) -> np.ndarray:
    """(N, V) logarithms of probabilities, in float64."""
    logp = np.asarray(logp, np.float64)
    if logp.ndim != 2 or len(logp) != count:
        raise ShapeError("log_probabilities", f"(N, V) with N = {count}, a row a prefix", logp.shape)
    if not (logp <= 1e-6).all():
        raise ArgumentError("log_probabilities", "logarithms, none above 0", logp.max(), "Did it return logits?")
    return logp
