"""METEOR's exact part: which words a translation shares with a reference, and in how many pieces.

    F_mean  = 10 · P · R / (R + 9 · P),  P and R the matched words' share of the candidate's and of the reference's
    penalty = 1/2 · (chunks / matched words)³
    score   = F_mean · (1 - penalty)

A chunk is a run of matched words that stand side by side, in the same order, in both texts: one where the whole text is
matched as it stands, as many as words where no two that are neighbours here are neighbours there. Recall counts nine
times as much as precision. The paper's further stages, which match stems and synonyms, are left out: both need a table
of a language.

Which of several equal words is matched with which matters for the chunks. The paper asks for the fewest crossings;
here, as in nltk, the last word of the candidate takes the last one of the reference that is free, and so on to the
front. Source: Banerjee and Lavie, "METEOR: An Automatic Metric for MT Evaluation with Improved Correlation with Human
Judgments", 2005, section 2.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tinygrad_llm.evaluate.texts import check_text, reference_texts


@dataclass(frozen=True)
class METEOR:
    """score, from 0 to 1, and what it is made of; `chunks` counts runs of matched words."""

    score: float
    precision: float
    recall: float
    matches: int
    chunks: int


def meteor(candidate: str, references: str | Sequence[str]) -> METEOR:
    """METEOR of one text; with several references, that of the best score.

    Words are what white space parts, in small letters. 0 where nothing is matched. A text that is its reference does
    not score 1, but 1 - 1/2 / words³.

    Raises DataError for anything but texts.
    """
    own = check_text("candidate", candidate).lower().split()
    scores = [_compared(own, text.lower().split()) for text in reference_texts("references", references)]
    return max(scores, key=lambda m: m.score)


def aligned(candidate: Sequence[str], reference: Sequence[str]) -> list[tuple[int, int]]:
    """(place in the candidate, place in the reference) of each matched word, from the candidate's front on."""
    free = defaultdict(list)
    for place, word in enumerate(reference):
        free[word].append(place)
    backwards = [(i, free[word].pop()) for i, word in reversed([*enumerate(candidate)]) if free[word]]
    return backwards[::-1]


def _compared(candidate: Sequence[str], reference: Sequence[str]) -> METEOR:
    pairs = aligned(candidate, reference)
    matches = len(pairs)
    if not matches:
        return METEOR(0.0, 0.0, 0.0, 0, 0)
    chunks = 1 + sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in zip(pairs, pairs[1:]))
    precision, recall = matches / len(candidate), matches / len(reference)
    mean = 10 * precision * recall / (recall + 9 * precision)
    return METEOR(mean * (1 - (chunks / matches) ** 3 / 2), precision, recall, matches, chunks)
