"""Answers: whether a short answer is one of those that people gave, and how many of its words are.

    exact match  1 where the two are the same once case, marks, articles and white space are taken away, else 0
    F_1          of the words that both have, each as often as both have it

Of several right answers the best counts. Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine
Comprehension of Text", 2016, section 5 and its script. Where one of the two has no words left, F_1 is 1 if the other
has none either (Rajpurkar et al., "Know What You Don't Know: Unanswerable Questions for SQuAD", 2018): "" answers a
question that has no answer.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

from tinygrad_llm.evaluate.overlap import Overlap, best, overlap
from tinygrad_llm.evaluate.texts import check_text, reference_texts

ARTICLES = re.compile(r"\b(a|an|the)\b")
MARKS = str.maketrans("", "", string.punctuation)


def answer_words(text: str) -> list[str]:
    """What is compared: words in small letters, without ASCII's marks and without a, an, the."""
    return ARTICLES.sub(" ", text.lower().translate(MARKS)).split()


def exact_match(candidate: str, answers: str | Sequence[str]) -> float:
    """1.0 where the candidate is one of the answers, else 0.0.  Raises DataError for anything but texts."""
    return max(float(mine == theirs) for mine, theirs in _pairs(candidate, answers))


def answer_f1(candidate: str, answers: str | Sequence[str]) -> Overlap:
    """Precision, recall and F_1 of the words, with the answer of the best F_1.

    Raises DataError for anything but texts.
    """
    return best(_compared(mine, theirs) for mine, theirs in _pairs(candidate, answers))


def _compared(mine: list[str], theirs: list[str]) -> Overlap:
    if not mine and not theirs:
        return Overlap(1.0, 1.0, 1.0)
    return overlap((Counter(mine) & Counter(theirs)).total(), len(mine), len(theirs))


def _pairs(candidate: str, answers: str | Sequence[str]) -> list[tuple[list[str], list[str]]]:
    words = answer_words(check_text("candidate", candidate))
    return [(words, answer_words(answer)) for answer in reference_texts("answers", answers)]
