"""Diversity: whether a model says the same again and again, in one text or over many.

    distinct-n = different n-grams / all n-grams, of all texts together
    self-BLEU  = mean over the texts of the BLEU of each, with all the others as its references

distinct-n goes from 0 to 1, and down as texts get longer: compare it at one length. Self-BLEU goes from 0, nothing in
common, to 100, the same text every time. Source: Li et al., "A Diversity-Promoting Objective Function for Neural
Conversation Models", 2016; Zhu et al., "Texygen: A Benchmarking Platform for Text Generation Models", 2018.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.bleu import bleu_of_words
from tinygrad_llm.evaluate.texts import check_list, check_text, ngrams
from tinygrad_llm.ranges import check_whole


def distinct_n(texts: Sequence[str], n: int) -> float:
    """The share of n-grams, of words as white space parts them, that are not repetitions; 0 where there are none.

    Raises DataError for anything but a list of texts, and for an empty one; ArgumentError for an n below 1.
    """
    check_whole(n=n)
    counts: Counter[tuple[str, ...]] = Counter()
    for words in _words(texts, 1, "Nothing has no diversity."):
        counts.update(ngrams(words, n))
    return len(counts) / counts.total() if counts else 0.0


def self_bleu(texts: Sequence[str]) -> float:
    """0 to 100.  Raises DataError for anything but a list of two or more texts."""
    words = _words(texts, 2, "One text has no others to be like.")
    return sum(bleu_of_words([(own, words[:i] + words[i + 1 :])]).score for i, own in enumerate(words)) / len(words)


def _words(texts: Sequence[str], least: int, why: str) -> list[list[str]]:
    check_list("texts", texts)
    if len(texts) < least:
        raise DataError("texts", f"at least {least}", len(texts), why)
    return [check_text(f"texts[{i}]", text).split() for i, text in enumerate(texts)]
