"""BLEU: how much of a translation stands in the translations that people made.

    BLEU = 100 · BP · exp( 1/4 · sum over n = 1 … 4 of ln p_n )
    p_n  = matched n-grams / n-grams of the candidates, both added up over the whole corpus
    BP   = 1 where the candidates are longer than the references, else exp(1 - r / c)

Source: Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002. A p_n without a match
would make the whole product 0; the k-th of them counts as 1 / (2^k · its n-grams) instead (NIST's smoothing, method 3
of Chen and Cherry, 2014), which is also what sacrebleu does where nothing is said.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.texts import ngrams, text_pairs

ORDER = 4
"""The longest n-grams that are counted."""


@dataclass(frozen=True)
class BLEU:
    """score            0 to 100.
    matches, counts     of the candidates' n-grams for n = 1 … 4: those found in the references, and all.
    precisions          p_n in percent, smoothed.
    brevity_penalty     BP.
    length, reference_length  words in all, c and r.
    """

    score: float
    matches: tuple[int, ...]
    counts: tuple[int, ...]
    precisions: tuple[float, ...]
    brevity_penalty: float
    length: int
    reference_length: int

    signature = "BLEU, 1- to 4-grams, case kept, words as white space parts them, smoothing exp"
    """What to quote beside the number: without it, two BLEUs cannot be compared (Post, 2018)."""


def clipped_matches(candidate: Sequence[str], references: Sequence[Sequence[str]], n: int) -> tuple[int, int]:
    """How many of the candidate's n-grams are matched, and how many there are.

    An n-gram is matched at most as often as it stands in one reference: "the the the the" does not match "the cat is on
    the mat" four times, but twice.

    Raises DataError for a text where a list of its words should be.
    """
    if isinstance(candidate, str) or any(isinstance(reference, str) for reference in references):
        raise DataError("candidate and references", "lists of words", "a text", "Part it: text.split().")
    own = ngrams(candidate, n)
    most: Counter[tuple[str, ...]] = Counter()
    for reference in references:
        most |= ngrams(reference, n)  # the larger of both counts
    return sum((own & most).values()), sum(own.values())  # & takes the smaller


def corpus_bleu(candidates: Sequence[str], references: Sequence[str | Sequence[str]]) -> BLEU:
    """BLEU of a whole corpus. Each candidate has one reference, or several in a list.

    Words are what white space parts; put spaces around marks first, if they shall count as words.
    Of several references the one closest in length counts for r; of equals, the shorter.

    Raises DataError where there is nothing to judge, or not one entry a candidate, or words where texts should be.
    """
    pairs = text_pairs(candidates, references)
    return bleu_of_words([(text.split(), [other.split() for other in others]) for text, others in pairs])


def bleu_of_words(pairs: Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]]) -> BLEU:
    """BLEU of candidates and their references that are lists of words already."""
    matches, counts, length, reference_length = [0] * ORDER, [0] * ORDER, 0, 0
    for candidate, texts in pairs:
        for n in range(1, ORDER + 1):
            matched, count = clipped_matches(candidate, texts, n)
            matches[n - 1] += matched
            counts[n - 1] += count
        length += len(candidate)
        reference_length += min((abs(len(t) - len(candidate)), len(t)) for t in texts)[1]
    return bleu_of_counts(matches, counts, length, reference_length)


def bleu_of_counts(matches: Sequence[int], counts: Sequence[int], length: int, reference_length: int) -> BLEU:
    """BLEU of what was counted: matched and all n-grams for n = 1 … 4, and the words of both sides.

    Counts of texts add up to those of a corpus: from them its score is found without looking at a text again.
    """
    penalty = 1.0 if length >= reference_length else math.exp(1 - reference_length / length) if length else 0.0
    shares = _precisions(matches, counts)
    score = 0.0 if min(shares) == 0 else penalty * math.exp(sum(map(math.log, shares)) / ORDER)
    percent = tuple(100 * share for share in shares)
    return BLEU(100 * score, tuple(matches), tuple(counts), percent, penalty, length, reference_length)


def _precisions(matches: Sequence[int], counts: Sequence[int]) -> list[float]:
    """p_n for n = 1 … 4, smoothed; all 0 where nothing at all matches, and 0 where there are no n-grams."""
    shares, without = [0.0] * ORDER, 0
    if not any(matches):
        return shares
    for i, (matched, count) in enumerate(zip(matches, counts)):
        if not matched:
            without += 1
        if count:
            shares[i] = matched / count if matched else 1 / (2**without * count)
    return shares
