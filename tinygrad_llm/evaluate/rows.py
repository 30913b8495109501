"""Metrics as rows of numbers, an example a row, and what makes a score of them: what resampling asks for.

    corpus metrics   a row holds counts, which add up: BLEU, chrF and TER of any draw of examples come from their sum
    means            a row is the example's score: ROUGE, METEOR, exact match, F_1, self-BLEU
    distinct-n       a row is the number of a text; the score counts the n-grams of those that are named

`METRICS` is the table of those that need texts alone. The scores are those of the files where each is explained.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinygrad_llm.evaluate.answers import answer_f1, exact_match
from tinygrad_llm.evaluate.bleu import BLEU, ORDER, bleu_of_counts, bleu_of_words
from tinygrad_llm.evaluate.bootstrap import Statistic, mean
from tinygrad_llm.evaluate.chrf import CHRF, chrf_counts, chrf_of_counts
from tinygrad_llm.evaluate.meteor import meteor
from tinygrad_llm.evaluate.rouge import rouge_l, rouge_lsum, rouge_n
from tinygrad_llm.evaluate.ter import TER, count_edits
from tinygrad_llm.evaluate.texts import ngrams

Progress = Callable[[Sequence[Any], str], Iterable[Any]]
"""From what is gone through and words for it to the same, shown as it goes: `silently`, or one that draws a bar."""
TextRow = Callable[[str, Sequence[str]], Any]
"""A candidate and its references -> its row."""


def silently(items: Sequence[Any], words: str) -> Iterable[Any]:
    """A Progress that shows nothing."""
    return items


@dataclass(frozen=True)
class TextMetric(ABC):
    """name      by which it is asked for.
    label     for tables.
    most      the largest score, 1 or 100; 0 where there is none.
    lower     whether less is better.
    signature what to quote beside the number.
    """

    name: str
    label: str
    most: int
    signature: str
    lower: bool = False
    needs_references = True
    needs_texts = 1

    @abstractmethod
    def prepare(
        self,
        every: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        progress: Progress = silently,
    ) -> tuple[list[np.ndarray], Statistic]:
        """The rows (N, ...) of each model's candidates, and the score of rows."""


@dataclass(frozen=True)
class ByText(TextMetric):
    """A row a text, of which others know nothing."""

    row: TextRow = lambda candidate, references: 0.0
    statistic: Statistic = mean

    def prepare(
        self,
        every: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        progress: Progress = silently,
    ) -> tuple[list[np.ndarray], Statistic]:
        """See TextMetric."""
        found = [
            np.array([self.row(*pair) for pair in progress([*zip(candidates, references)], self.label)], np.float64)
            for candidates in every
        ]
        return found, self.statistic


@dataclass(frozen=True)
class SelfBLEU(TextMetric):
    """A row is the BLEU of a text with the model's other texts as references."""

    needs_references = False
    needs_texts = 2

    def prepare(
        self,
        every: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]] = (),
        progress: Progress = silently,
    ) -> tuple[list[np.ndarray], Statistic]:
        """See TextMetric."""
        return [self_bleu_rows(candidates, progress, self.label) for candidates in every], mean


@dataclass(frozen=True)
class Distinct(TextMetric):
    """A row is the number of a text, of all models together."""

    needs_references = False
    n: int = 1

    def prepare(
        self,
        every: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]] = (),
        progress: Progress = silently,
    ) -> tuple[list[np.ndarray], Statistic]:
        """See TextMetric."""
        number: dict[tuple[str, ...], int] = {}
        texts = [
            np.array([number.setdefault(gram, len(number)) for gram in _all_ngrams(text.split(), self.n)], np.int64)
            for candidates in every
            for text in progress(candidates, self.label)
        ]
        ends = np.cumsum([len(candidates) for candidates in every])
        return [np.arange(end - len(c), end, dtype=float) for end, c in zip(ends, every)], DistinctOf(texts)


class DistinctOf:
    """distinct-n of the texts whose numbers are given, (N,) -> a number."""

    def __init__(self, texts: Sequence[np.ndarray]) -> None:
        self.texts = texts

    def __call__(self, rows: np.ndarray) -> float:
        ids = self._joined(rows)
        return np.count_nonzero(np.bincount(ids)) / len(ids) if len(ids) else 0.0

    def left_out(self, rows: np.ndarray) -> np.ndarray:
        """The score without each of the texts in turn, (N,) -> (N,).

        Without a text there are fewer n-grams by all of its own, and fewer kinds by those that no other text has.
        """
        ids = self._joined(rows)
        owner = np.repeat(np.arange(len(rows)), [len(self.texts[int(row)]) for row in rows])
        kinds = np.unique(np.stack([ids, owner]), axis=1)  # each n-gram once for each text that has it
        holders = np.bincount(kinds[0], minlength=1)
        alone = np.bincount(kinds[1][holders[kinds[0]] == 1], minlength=len(rows))
        left = len(ids) - np.bincount(owner, minlength=len(rows))
        return np.divide(np.count_nonzero(holders) - alone, left, out=np.zeros(len(rows)), where=left > 0)

    def _joined(self, rows: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.int64), *(self.texts[int(row)] for row in rows)])


def self_bleu_rows(texts: Sequence[str], progress: Progress = silently, words: str = "") -> np.ndarray:
    """The BLEU of each text with all others as its references, (N,): their mean is `self_bleu`.

    That looks at all pairs of texts. Here it is kept of each n-gram how often the text that has it most has it, which
    text that is, and how often the next one has it: so the most of all others is known at once.
    """
    parts = [text.split() for text in texts]
    most: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for i, own in enumerate(parts):
        for n in range(1, ORDER + 1):
            for gram, count in ngrams(own, n).items():
                first, owner, second = most.get(gram, (0, -1, 0))
                most[gram] = (count, i, first) if count > first else (first, owner, max(second, count))
    lengths = Counter(map(len, parts))
    rows = np.zeros(len(parts))
    for i, own in enumerate(progress(parts, words)):
        matches, counts = [0] * ORDER, [0] * ORDER
        for n in range(1, ORDER + 1):
            for gram, count in ngrams(own, n).items():
                first, owner, second = most[gram]
                matches[n - 1] += min(count, second if owner == i else first)
                counts[n - 1] += count
        others = [length for length, texts_so_long in lengths.items() if length != len(own) or texts_so_long > 1]
        nearest = min((abs(length - len(own)), length) for length in others)[1]
        rows[i] = bleu_of_counts(matches, counts, len(own), nearest).score
    return rows


def _all_ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _bleu_row(candidate: str, references: Sequence[str]) -> list[float]:
    found = bleu_of_words([(candidate.split(), [text.split() for text in references])])
    return [*found.matches, *found.counts, found.length, found.reference_length]


def _bleu_of_rows(rows: np.ndarray) -> float:
    totals = rows.sum(0).astype(int).tolist()
    return bleu_of_counts(totals[:ORDER], totals[ORDER : 2 * ORDER], *totals[2 * ORDER :]).score


def _chrf_of_rows(rows: np.ndarray) -> float:
    return chrf_of_counts([tuple(counts) for counts in rows.sum(0).astype(int).tolist()])[0]


def _ter_row(candidate: str, references: Sequence[str]) -> tuple[float, float]:
    edits = min(count_edits(candidate.split(), other.split()) for other in references)
    return edits, sum(len(other.split()) for other in references) / len(references)


def _ter_of_rows(rows: np.ndarray) -> float:
    edits, length = rows.sum(0)
    return float(100 * edits / length if length else 100.0 * (edits > 0))


_ROUGE = "words a-z and 0-9 in small letters, no stemmer, F1, the best of several references"
_WORDS = "words as white space parts them, case kept"
_SQUAD = "SQuAD's: small letters, without marks and articles, the best of several references"
_TABLE = (
    ByText("bleu", "BLEU", 100, BLEU.signature, row=_bleu_row, statistic=_bleu_of_rows),
    ByText("chrf", "chrF", 100, CHRF.signature, row=chrf_counts, statistic=_chrf_of_rows),
    ByText("chrf++", "chrF++", 100, f"{CHRF.signature}, 1- and 2-grams of words",
           row=partial(chrf_counts, word_order=2), statistic=_chrf_of_rows),
    ByText("ter", "TER", 0, TER.signature, True, row=_ter_row, statistic=_ter_of_rows),
    ByText("rouge-1", "ROUGE-1", 1, _ROUGE, row=lambda own, others: rouge_n(own, others, 1).f),
    ByText("rouge-2", "ROUGE-2", 1, _ROUGE, row=lambda own, others: rouge_n(own, others, 2).f),
    ByText("rouge-l", "ROUGE-L", 1, _ROUGE, row=lambda own, others: rouge_l(own, others).f),
    ByText("rouge-lsum", "ROUGE-Lsum", 1, f"{_ROUGE}, line by line", row=lambda own, others: rouge_lsum(own, others).f),
    ByText("meteor", "METEOR, exact", 1, "words in small letters, no stems, no synonyms",
           row=lambda own, others: meteor(own, others).score),
    ByText("exact-match", "exact match", 1, _SQUAD, row=exact_match),
    ByText("f1", "F1 of words", 1, _SQUAD, row=lambda own, others: answer_f1(own, others).f),
    *(Distinct(f"distinct-{n}", f"distinct-{n}", 1, _WORDS, n=n) for n in (1, 2, 3)),
    SelfBLEU("self-bleu", "self-BLEU", 100, f"{_WORDS}; less is more varied", True),
)  # fmt: skip
METRICS: dict[str, TextMetric] = {metric.name: metric for metric in _TABLE}
"""Metrics of texts by the name that `tgl eval --metric` takes."""
