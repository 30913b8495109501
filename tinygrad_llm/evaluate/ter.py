"""TER: how many edits a translator would make until the candidate is the reference.

    TER = 100 · edits / words of the references (with several references: their mean length)

An edit puts in, takes out or exchanges a word, or shifts a run of words to another place, however long and however far.
The least number of edits with shifts is too hard to find, so shifts are taken greedily: the one that brings the edit
distance down most, as long as one does; then the edit distance of what is left. Of several references the one with the
fewest edits counts.

Source: Snover et al., "A Study of Translation Edit Rate with Targeted Human Annotation", 2006, section 2. Which shifts
are tried, and which of equals is taken, is as in their program Tercom and in sacrebleu. The edit distance is exact,
where sacrebleu looks only at places near the diagonal: of texts of less than 25 words it is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_llm.evaluate.texts import text_pairs

LONGEST_SHIFT, FARTHEST_SHIFT = 10, 50
"""Words in a run that is shifted, and the distance between its place and that of its match: Tercom's."""
MOST_SHIFTS_TRIED = 1000
"""A pair of texts: sacrebleu's, for texts of one word again and again."""
Shift = tuple[int, int, int]
"""A run of words: where it begins, how long it is, and before which word it is put."""


@dataclass(frozen=True)
class TER:
    """score   0 to 100, and above where more words are wrong than the references have.
    edits   all of them.
    length  words of the references.
    """

    score: float
    edits: int
    length: float

    signature = "TER, case kept, words as white space parts them"
    """What to quote beside the number. Tercom has no case: put both into small letters for its TER."""


def corpus_ter(candidates: Sequence[str], references: Sequence[str | Sequence[str]]) -> TER:
    """TER of a whole corpus, 100 where all references are empty and the candidates are not.

    Raises DataError where there is nothing to judge, or not one entry a candidate, or words where texts should be.
    """
    edits, length = 0, 0.0
    for candidate, others in text_pairs(candidates, references):
        edits += min(count_edits(candidate.split(), other.split()) for other in others)
        length += sum(len(other.split()) for other in others) / len(others)
    return TER(100 * edits / length if length else 100.0 * (edits > 0), edits, length)


def count_edits(words: Sequence[str], reference: Sequence[str]) -> int:
    """Edits from the one list of words to the other, shifts among them."""
    number: dict[str, int] = {}
    own, others = (
        np.array([number.setdefault(word, len(number)) for word in text], int) for text in (words, reference)
    )
    if not len(others):
        return len(own)  # nothing to shift to
    shifts = tried = 0
    while True:
        table = np.stack(list(_rows(own[None], others)))[:, 0]
        moved = list(_candidates(own, others, table, MOST_SHIFTS_TRIED - tried))
        tried += len(moved)
        if tried >= MOST_SHIFTS_TRIED or not moved:
            return shifts + int(table[-1, -1])
        orders = np.array([own[shifted(len(own), shift)] for shift in moved])
        left = deque(_rows(orders, others), maxlen=1).pop()[:, -1]
        # the largest gain, then the longest run, then the earliest, then the earliest place
        best = min(range(len(moved)), key=lambda i: (left[i], -moved[i][1], moved[i][0], moved[i][2]))
        if left[best] >= table[-1, -1]:
            return shifts + int(table[-1, -1])
        own, shifts = orders[best], shifts + 1


def _rows(words_CN: np.ndarray, reference: np.ndarray) -> Iterator[np.ndarray]:
    """Edit distances of the first 0 … N words of each of C texts to the first 0 … M of the reference, (C, M + 1) each.

        D[i, j] = min(D[i - 1, j - 1] + (words differ), D[i - 1, j] + 1, D[i, j - 1] + 1)

    The last term runs along the row: D[i, j] - j is a running minimum.
    """
    place = np.arange(len(reference) + 1)
    row = np.broadcast_to(place, (len(words_CN), len(place)))
    yield row
    for word in words_CN.T:
        above, row = row, row + 1
        row[:, 1:] = np.minimum(row[:, 1:], above[:, :-1] + (word[:, None] != reference))
        row = np.minimum.accumulate(row - place, 1) + place
        yield row


def _candidates(own: np.ndarray, reference: np.ndarray, table: np.ndarray, most: int) -> Iterator[Shift]:
    """Shifts worth trying: runs that stand in the reference too, but elsewhere; both places hold an error now.

    After the run with which there are `most` or more, no further one follows.
    """
    beside, own_wrong, reference_wrong = _alignment(own, reference, table)
    found = 0
    for start, match, length in _runs(own, reference):
        if not own_wrong[start : start + length].any() or not reference_wrong[match : match + length].any():
            continue
        if start <= beside[match] < start + length:
            continue  # within itself
        # behind what stands beside the word before the match, or beside one of its words
        targets = {beside[match + i] + 1 if match + i >= 0 else 0 for i in range(-1, length)}
        yield from ((start, length, target) for target in sorted(targets))
        found += len(targets)
        if found >= most:
            return


def _runs(own: np.ndarray, reference: np.ndarray) -> Iterator[Shift]:
    """Runs in both, as (place in own, place in the reference, length), of all lengths, in that order."""
    for start in range(len(own)):
        for match in range(max(0, start - FARTHEST_SHIFT), min(len(reference), start + FARTHEST_SHIFT + 1)):
            for length in range(1, min(LONGEST_SHIFT, len(own) - start, len(reference) - match) + 1):
                if own[start + length - 1] != reference[match + length - 1]:
                    break
                yield start, match, length


def _alignment(own: np.ndarray, reference: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One way of the fewest edits: beside which own word each of the reference stands, and which of both are wrong.

    Where there are several ways, an exchange goes before a word taken out, and that before one put in, from behind.
    """
    i, j = len(own), len(reference)
    beside, own_wrong, reference_wrong = np.zeros(j, int), np.ones(i, bool), np.ones(j, bool)
    while i or j:
        differ = i and j and own[i - 1] != reference[j - 1]
        if i and j and table[i, j] == table[i - 1, j - 1] + differ:
            i, j = i - 1, j - 1
            beside[j], own_wrong[i], reference_wrong[j] = i, differ, differ
        elif i and table[i, j] == table[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
            beside[j] = i - 1
    return beside, own_wrong, reference_wrong


def shifted(count: int, shift: Shift) -> np.ndarray:
    """The places 0 … count - 1 with a run of them shifted.

    As in Tercom, a target within the run itself moves it by so many words to the right.
    """
    start, length, target = shift
    places = np.arange(count)
    run, rest = places[start : start + length], np.delete(places, np.s_[start : start + length])
    to = target if target < start else target - length if target > start + length else target
    return np.concatenate([rest[:to], run, rest[to:]])
