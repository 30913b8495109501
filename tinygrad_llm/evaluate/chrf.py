"""chrF: a translation held against its reference letter by letter, so that a wrong ending is not a wrong word.

    precision, recall = means over n = 1 … 6 of the shares of character n-grams that match
    chrF = 100 · F_2(precision, recall)

Matches and counts are added up over the corpus before the shares are taken. White space is left out, and an n of which
the candidates or the references have no n-grams is not in the means. With `word_order=2`, words and pairs of words are
two more terms of them: chrF++. Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015, and
"chrF++: words helping character n-grams", 2017. What is left open there (several references, short texts) is done as
sacrebleu does it.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinygrad_llm.evaluate.overlap import f_measure
from tinygrad_llm.evaluate.texts import ngrams, text_pairs
from tinygrad_llm.ranges import check_whole

CHARACTER_ORDER = 6
"""The longest n-grams of characters that are counted."""
BETA = 2.0
"""Recall counts twice as much as precision."""
Counts = list[tuple[int, int, int]]
"""One triple an order: matched, the candidate's, the reference's."""


@dataclass(frozen=True)
class CHRF:
    """score             0 to 100.
    precision, recall  the means over the orders, 0 to 1.
    matches, counts, reference_counts  of n-grams, one an order: characters first, then words.
    """

    score: float
    precision: float
    recall: float
    matches: tuple[int, ...]
    counts: tuple[int, ...]
    reference_counts: tuple[int, ...]

    signature = "chrF, 1- to 6-grams of characters, beta 2, case kept, white space left out"
    """What to quote beside the number, with `word_order`."""


def corpus_chrf(candidates: Sequence[str], references: Sequence[str | Sequence[str]], *, word_order: int = 0) -> CHRF:
    """chrF of a whole corpus. Each candidate has one reference, or several in a list: then its best one counts.

    word_order  the longest n-grams of words that are counted too; 2 makes it chrF++. A mark at the end or at the
                beginning of a word is a word of its own there.

    Raises DataError where there is nothing to judge, or not one entry a candidate; ArgumentError for the order.
    """
    check_whole(least=0, word_order=word_order)
    totals = [(0, 0, 0)] * (CHARACTER_ORDER + word_order)
    for candidate, others in text_pairs(candidates, references):
        own = chrf_counts(candidate, others, word_order)
        totals = [(a + d, b + e, c + f) for (a, b, c), (d, e, f) in zip(totals, own)]
    matches, counts, reference_counts = zip(*totals)
    return CHRF(*chrf_of_counts(totals), matches, counts, reference_counts)


def chrf_counts(candidate: str, references: Sequence[str], word_order: int = 0) -> Counts:
    """What is counted of one text, with the reference of the best score, of equals the first."""
    mine = _grams(candidate, word_order)
    every = [_counts(mine, _grams(other, word_order)) for other in references]
    return max(every, key=lambda counts: chrf_of_counts(counts)[0])


def _grams(text: str, word_order: int) -> list[Counter[tuple[str, ...]]]:
    letters, words = "".join(text.split()), [part for word in text.split() for part in _parted(word)]
    return [ngrams(letters, n) for n in range(1, CHARACTER_ORDER + 1)] + [
        ngrams(words, n) for n in range(1, word_order + 1)
    ]


def _parted(word: str) -> list[str]:
    """A word and the mark at its end, else the mark at its beginning and the word."""
    if len(word) > 1 and word[-1] in string.punctuation:
        return [word[:-1], word[-1]]
    return [word[0], word[1:]] if len(word) > 1 and word[0] in string.punctuation else [word]


def _counts(mine: list[Counter[tuple[str, ...]]], theirs: list[Counter[tuple[str, ...]]]) -> Counts:
    """Where the reference has no n-grams, the candidate's are not counted: nothing of it could have matched."""
    return [((own & others).total(), own.total() if others else 0, others.total()) for own, others in zip(mine, theirs)]


def chrf_of_counts(counts: Counts) -> tuple[float, float, float]:
    """The score in percent, and the mean precision and recall over the orders of which both have n-grams."""
    shares = [(matched / own, matched / other) for matched, own, other in counts if own and other]
    if not shares:
        return 0.0, 0.0, 0.0
    precision, recall = (sum(column) / len(shares) for column in zip(*shares))
    return 100 * f_measure(precision, recall, BETA), precision, recall
