"""Hallucination: what is said to be in a picture and is not.

Two measures. Of what a model writes by itself, the share of things that are not there: CHAIR, of Rohrbach et al.,
"Object Hallucination in Image Captioning", 2018. And of what it is asked, how often it says yes: POPE, of Li et al.,
"Evaluating Object Hallucination in Large Vision-Language Models", 2023, which asks for as many things that are there as
for ones that are not.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError, ShapeError


def invented(said: Sequence[Collection[Hashable]], there: Sequence[Collection[Hashable]]) -> float:
    """CHAIR_i: of all things that the captions name the share that their pictures do not show.

    said, there  for each picture the things named, and those in it. One that is named twice counts twice.

    NaN where nothing was named.  Raises ShapeError for lists of different lengths.
    """
    if len(said) != len(there):
        raise ShapeError("said", f"one for each of {len(there)} pictures", len(said))
    named = [thing not in shown for things, shown in zip(said, there) for thing in things]
    return float(np.mean(named)) if named else float("nan")


@dataclass(frozen=True)
class YesNo:
    """Answers to questions whether something is there.

    accuracy   how many are right.
    yes        how many are yes: with balanced questions, half of them if there is no bias.
    hits       of the things that are there, how many are found (recall).
    invented   of those that are not there, how many are said to be (the rate of false positives).
    """

    accuracy: float
    yes: float
    hits: float
    invented: float


def yes_no(said: Sequence[bool], there: Sequence[bool]) -> YesNo:
    """What answers "yes" (true) are worth.

    Raises ShapeError for lists that do not fit, ArgumentError where only one of the two answers is ever right.
    """
    found, wanted = np.asarray(said, bool), np.asarray(there, bool)
    if found.ndim != 1 or found.shape != wanted.shape:
        raise ShapeError("said", f"{wanted.shape}, as what is there", found.shape)
    if wanted.all() or not wanted.any():
        raise ArgumentError("there", "something that is there and something that is not", wanted.tolist()[:3])
    return YesNo(
        float((found == wanted).mean()), float(found.mean()), float(found[wanted].mean()), float(found[~wanted].mean())
    )
