"""ROUGE: how much of a summary stands in the summaries that people made.

    ROUGE-N     n-grams in common:  precision over the candidate's n-grams, recall over the reference's
    ROUGE-L     the longest common subsequence instead: words in the same order, with gaps
    ROUGE-Lsum  the same line by line: a reference's line is covered by its subsequences with all lines of the candidate

Each is an `Overlap` of precision, recall and F_1, from 0 to 1; with several references, that of the best F_1. The ROUGE
of a corpus is the mean over its texts.

Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, sections 2 and 3. Words are those of the
package rouge-score, without its stemmer: runs of a to z and 0 to 9, in small letters. A text in another script has
none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from tinygrad_llm.evaluate.overlap import Overlap, best, overlap
from tinygrad_llm.evaluate.texts import check_text, ngrams, reference_texts
from tinygrad_llm.ranges import check_whole


def rouge_words(text: str) -> list[str]:
    """Runs of a to z and 0 to 9, in small letters."""
    return re.findall("[a-z0-9]+", text.lower())


def rouge_n(candidate: str, references: str | Sequence[str], n: int) -> Overlap:
    """ROUGE-N, an n-gram counting at most as often as the reference has it.

    Raises DataError for anything but texts, ArgumentError for an n below 1.
    """
    check_whole(n=n)

    def compared(own: str, other: str) -> Overlap:
        mine, theirs = ngrams(rouge_words(own), n), ngrams(rouge_words(other), n)
        return overlap((mine & theirs).total(), mine.total(), theirs.total())

    return _best(compared, candidate, references)


def rouge_l(candidate: str, references: str | Sequence[str]) -> Overlap:
    """ROUGE-L of the texts as wholes.  Raises DataError for anything but texts."""

    def compared(own: str, other: str) -> Overlap:
        mine, theirs = rouge_words(own), rouge_words(other)
        return overlap(len(common_subsequence(theirs, mine)), len(mine), len(theirs))

    return _best(compared, candidate, references)


def rouge_lsum(candidate: str, references: str | Sequence[str]) -> Overlap:
    """ROUGE-L of summaries whose sentences stand on lines of their own.

    For each line of the reference: its words that are in a longest common subsequence with any line of the candidate.
    A word counts at most as often as the candidate has it. Raises DataError for anything but texts.
    """
    return _best(_compared_by_line, candidate, references)


def _compared_by_line(candidate: str, reference: str) -> Overlap:
    mine, theirs = ([rouge_words(line) for line in text.split("\n")] for text in (candidate, reference))
    left = Counter(word for line in mine for word in line)
    matched = 0
    for line in theirs:
        covered = set[int]().union(*(common_subsequence(line, own) for own in mine))
        for place in covered:
            if left[line[place]]:
                left[line[place]] -= 1
                matched += 1
    return overlap(matched, sum(map(len, mine)), sum(map(len, theirs)))


def common_subsequence(words: Sequence[str], others: Sequence[str]) -> list[int]:
    """The places in `words` of a longest subsequence that `others` has too, the last place first.

        L[i, j] = L[i - 1, j - 1] + 1 where the words are the same, else max(L[i - 1, j], L[i, j - 1])

    Of several as long it is the one that is met first going back from both ends, by `words` before `others`.
    """
    table = [[0] * (len(others) + 1)]
    for word in words:
        above, row = table[-1], [0]
        for j, other in enumerate(others):
            row.append(above[j] + 1 if word == other else max(above[j + 1], row[j]))
        table.append(row)
    places, i, j = [], len(words), len(others)
    while i and j:
        if words[i - 1] == others[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places


def _best(compared: Callable[[str, str], Overlap], candidate: str, references: str | Sequence[str]) -> Overlap:
    """The best over the references."""
    check_text("candidate", candidate)
    return best(compared(candidate, reference) for reference in reference_texts("references", references))
