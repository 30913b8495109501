"""Overlap: how much of one thing is found in another, seen from both sides, and the F that weighs the two.

    precision = matched / found in the candidate,  recall = matched / found in the reference
    F_beta    = (1 + beta²) · precision · recall / (beta² · precision + recall)

F_1 is the harmonic mean; a recall counts beta times as much as a precision. Source: van Rijsbergen, "Information
Retrieval", 1979, chapter 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Overlap:
    """precision, recall and their f, each from 0 to 1."""

    precision: float
    recall: float
    f: float


def f_measure(precision: float, recall: float, beta: float = 1.0) -> float:
    """F_beta; 0 where both are 0."""
    weighted = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / weighted if weighted else 0.0


def overlap(matched: float, candidate: float, reference: float) -> Overlap:
    """Of what matched, and of all that the candidate and the reference have.  Nothing of nothing is 0."""
    precision = matched / candidate if candidate else 0.0
    recall = matched / reference if reference else 0.0
    return Overlap(precision, recall, f_measure(precision, recall))


def best(overlaps: Iterable[Overlap]) -> Overlap:
    """The one of the largest f; of equals, the first."""
    return max(overlaps, key=lambda o: o.f)
