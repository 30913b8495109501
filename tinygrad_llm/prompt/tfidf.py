"""Texts as vectors of their words, the rare ones weighing more.

    tf-idf(t, d) = count of t in d · idf(t),   idf(t) = ln( (1 + N) / (1 + df(t)) ) + 1

N texts are known, and t stands in df(t) of them. Each vector is then divided by its length, so that the product of two
is the cosine of their angle: 1 for the same words in the same shares, 0 for no word in common. The ones are as though
one more text held every word once, which keeps idf finite.

Source: Spärck Jones, "A Statistical Interpretation of Term Specificity", 1972; Salton and Buckley, "Term-weighting
Approaches in Automatic Text Retrieval", 1988. What is a word, and the ones, are scikit-learn's: two letters, digits or
underscores at least, in small letters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.texts import check_list, check_text

WORD = re.compile(r"\b\w\w+\b")


def tfidf_words(text: str) -> list[str]:
    """Runs of two letters, digits or underscores at least, in small letters."""
    return WORD.findall(text.lower())


@dataclass(frozen=True)
class TfIdf:
    """words  those that are known, sorted; the others of a text are passed over.
    idf    (V,) what each weighs.
    """

    words: tuple[str, ...]
    idf: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str]) -> TfIdf:
        """From the texts that are known.  Raises DataError where they have no words, and for what is no text."""
        check_list("texts", texts)
        counts = Counter(w for i, text in enumerate(texts) for w in set(tfidf_words(check_text(f"texts[{i}]", text))))
        if not counts:
            raise DataError("texts", "at least one word of two letters", f"{len(texts)} texts without one")
        words = tuple(sorted(counts))
        frequencies = np.array([counts[word] for word in words], np.float64)
        return cls(words, np.log((1 + len(texts)) / (1 + frequencies)) + 1)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """A row a text, of length 1, or 0 where it has no word that is known.  N texts -> (N, V)"""
        check_list("texts", texts)
        column = {word: i for i, word in enumerate(self.words)}
        rows = np.zeros((len(texts), len(self.words)))
        for i, text in enumerate(texts):
            for word, count in Counter(tfidf_words(check_text(f"texts[{i}]", text))).items():
                if word in column:
                    rows[i, column[word]] = count
        rows *= self.idf
        lengths = np.sqrt(np.square(rows).sum(1, keepdims=True))
        return np.divide(rows, lengths, out=rows, where=lengths > 0)
