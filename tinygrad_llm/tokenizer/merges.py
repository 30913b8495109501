"""The two algorithms of byte-pair encoding: learning merges, and applying them. Each in a simple and in a fast form.

Learning: count all neighbouring pairs, give the most frequent a new id, replace it everywhere, repeat. Of equally
frequent pairs the one with the smallest ids is taken. Applying: of all pairs in a word, merge the one learned first.
Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016; Gage, 1994.
Dropout: Provilkov, Emelianenko and Voita, "BPE-Dropout: Simple and Effective Subword Regularization", 2020.
"""

from __future__ import annotations

import heapq
import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

Pair = tuple[int, int]
Word = tuple[int, ...]
Token = TypeVar("Token", bound=Any)


class Vocabulary(Generic[Token]):
    """The bytes (or letters) of each id, and the id of each merge. Two pairs that spell the same share an id."""

    def __init__(self, tokens: Sequence[Token], join: Callable[[Token, Token], Token] = operator.add) -> None:
        self.tokens, self.join = list(tokens), join
        self.id_of = {token: i for i, token in enumerate(self.tokens)}

    def merged(self, pair: Pair) -> int:
        """The id of the two tokens joined, a new one where there is none yet."""
        joined = self.join(self.tokens[pair[0]], self.tokens[pair[1]])
        if joined not in self.id_of:
            self.id_of[joined] = len(self.tokens)
            self.tokens.append(joined)
        return self.id_of[joined]


def merge_pair(word: Sequence[int], pair: Pair, new: int) -> list[int]:
    """`word` with each `pair`, from the left and without overlap, replaced by `new`."""
    out: list[int] = []
    i = 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def best_pair(words: Iterable[tuple[Sequence[int], int]], min_frequency: int = 1) -> Pair | None:
    """The most frequent pair of neighbours, each word counted as often as it occurs; of equals the one with the
    smallest ids.  None where no pair occurs `min_frequency` times."""
    pairs: Counter[Pair] = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
    return None if best is None or pairs[best] < min_frequency else best


def learn_merges_plainly(
    words: Mapping[Word, int], tokens: Sequence[bytes], vocab_size: int, min_frequency: int = 1
) -> list[Pair]:
    """The merges of `words` (each with its count), until the vocabulary is full or no pair is frequent enough."""
    vocabulary, merges = Vocabulary(tokens), []
    current = [(list(word), count) for word, count in words.items()]
    while len(vocabulary.tokens) < vocab_size and (best := best_pair(current, min_frequency)):
        merges.append(best)
        new = vocabulary.merged(best)
        current = [(merge_pair(word, best, new), count) for word, count in current]
    return merges


def learn_merges(
    words: Mapping[Word, int],
    tokens: Sequence[Token],
    vocab_size: int,
    min_frequency: int = 1,
    join: Callable[[Token, Token], Token] = operator.add,
) -> list[Pair]:
    """The same merges, from counts that are kept instead of counted anew: n log n for words of n symbols in all.

    A merge looks only at the places of its pair, and changes only the pairs next to them. The best pair comes from a
    heap whose entries may be out of date: one that is, is corrected and put back.
    """
    vocabulary, merges, text = Vocabulary(tokens, join), [], LinkedWords(words)
    pairs = text.pairs
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    while len(vocabulary.tokens) < vocab_size and heap:
        negative, best = heapq.heappop(heap)
        if -negative != pairs[best]:
            if pairs[best] > 0:
                heapq.heappush(heap, (-pairs[best], best))
            continue
        if pairs[best] < min_frequency:
            break
        merges.append(best)
        for pair in text.merge(best, vocabulary.merged(best)):
            if pairs[pair] > 0:  # in "aaaa" a pair appears at one merge and is gone at the next
                heapq.heappush(heap, (-pairs[pair], pair))
    return merges


class LinkedWords:
    """All words behind one another as a linked list, so that a merge moves nothing.

    pairs   pair -> how often it occurs, each word counted as often as it occurs.
    places  pair -> where its first symbol may stand; whether it still does is looked up. Every merge adds at most two
            places, so that all there ever are is at most three times the symbols.
    replaced  how often the last merge found its pair, counted as `pairs` are.
    """

    def __init__(self, words: Mapping[Word, int]) -> None:
        self.ids: list[int] = []
        self.counts: list[int] = []
        for word, count in words.items():
            self.ids += (*word, -1)  # -1 ends a word, and stands where a symbol has been merged into the one before
            self.counts += [count] * (len(word) + 1)
        self.after = list(range(1, len(self.ids) + 1))
        self.before = list(range(-1, len(self.ids) - 1))  # before the first is the last, ids[-1]: an end as well
        self.pairs: defaultdict[Pair, int] = defaultdict(int)
        self.places: defaultdict[Pair, list[int]] = defaultdict(list)
        self.replaced = 0
        for i, pair in enumerate(zip(self.ids, self.ids[1:])):
            if pair[0] >= 0 and pair[1] >= 0:
                self.pairs[pair] += self.counts[i]
                self.places[pair].append(i)

    def merge(self, pair: Pair, new: int) -> set[Pair]:
        """Replaces the pair everywhere, from the left and without overlap; the pairs that there are more of now."""
        (a, b), ids, before, after, pairs = pair, self.ids, self.before, self.after, self.pairs
        grown = set()
        self.replaced = 0
        for i in sorted(self.places.pop(pair)):
            j = after[i]
            if ids[i] != a or ids[j] != b:
                continue  # one of the two has been merged away since
            left, right, count = before[i], after[j], self.counts[i]
            ids[i], ids[j] = new, -1
            after[i], before[right] = right, i
            self.replaced += count
            if ids[left] >= 0:
                pairs[ids[left], a] -= count
                grown.add(self._add((ids[left], new), left, count))
            if ids[right] >= 0:
                pairs[b, ids[right]] -= count
                grown.add(self._add((new, ids[right]), i, count))
        pairs[pair] = 0
        return grown

    def _add(self, pair: Pair, place: int, count: int) -> Pair:
        self.pairs[pair] += count
        self.places[pair].append(place)
        return pair


Ranks = Mapping[Pair, tuple[int, int]]
"""For each pair: when it was learned, and the id it becomes."""

SHORT = 64
"""Up to this many symbols the quadratic form is faster."""


def apply_merges(word: Sequence[int], ranks: Ranks) -> list[int]:
    """The word's ids after all merges, the earliest learned first, equals from the left."""
    return apply_merges_plainly(word, ranks) if len(word) <= SHORT else apply_merges_to_long(word, ranks)


class Draws(Protocol):
    """What draws numbers from [0, 1), as np.random.Generator does."""

    def random(self) -> float:
        """The next one."""
        ...


def apply_merges_plainly(
    word: Sequence[int], ranks: Ranks, dropout: float = 0.0, rng: Draws | None = None
) -> list[int]:
    """Searches for the best pair again after each merge: quadratic, and fastest for short words.

    With an rng each known pair is left out of a search with probability `dropout`, drawn from the left to the right.
    """
    ids = list(word)
    get = ranks.get
    while len(ids) > 1:
        best, at = None, -1
        for i, pair in enumerate(zip(ids, ids[1:])):
            found = get(pair)
            if found is None or (rng is not None and rng.random() < dropout):
                continue
            if best is None or found[0] < best[0]:
                best, at = found, i
        if best is None:
            break
        ids[at : at + 2] = [best[1]]
    return ids


def apply_merges_to_long(word: Sequence[int], ranks: Ranks) -> list[int]:
    """A heap of pairs over a linked list: n log n, so that a megabyte of one letter is no attack.

    An entry is one number, rank * n + place: it sorts by rank, then by place, and is cheaper than a tuple.
    """
    ids: list[int] = list(word)
    count = len(ids)
    after = list(range(1, count + 1))
    before = list(range(-1, count - 1))
    get, push, pop = ranks.get, heapq.heappush, heapq.heappop
    heap = [get(pair)[0] * count + i for i, pair in enumerate(zip(ids, ids[1:])) if pair in ranks]  # type: ignore[index]
    heapq.heapify(heap)
    while heap:
        rank, i = divmod(pop(heap), count)
        j = after[i]
        found = get((ids[i], ids[j])) if j < count else None
        if found is None or found[0] != rank:
            continue  # one of the two has been merged away since
        ids[i], ids[j] = found[1], -1
        right = after[i] = after[j]
        if right < count:
            before[right] = i
            following = get((ids[i], ids[right]))
            if following is not None:
                push(heap, following[0] * count + i)
        left = before[i]
        if left >= 0:
            preceding = get((ids[left], ids[i]))
            if preceding is not None:
                push(heap, preceding[0] * count + left)
    return [i for i in ids if i >= 0]
