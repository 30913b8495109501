"""Learning WordPiece's vocabulary: the letters of the words, then pieces, each made of two that stand side by side.

Which two is what a score says:

    "likelihood"  count(ab) / (count(a) count(b)), how much more often a and b meet than they would by chance. This is
                  WordPiece as it is taught: Schuster and Nakajima ("Japanese and Korean Voice Search", 2012) take the
                  piece that raises the likelihood of the training text most; Google's own program was never published.
                  Rare letters that always meet score highest, so `min_frequency` matters.
    "count"       count(ab): byte-pair encoding with ## before what goes on a word, which is what WordPieceTrainer of
                  Hugging Face's tokenizers does. Its pieces are learned here, and in its order; where it leaves the
                  order of the letters to a hash table, another at each run, here they are sorted.

Equals go to the more frequent pair, then to the smaller ids. Two pairs that spell the same are one piece.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.tokenizer.merges import LinkedWords, Pair, Vocabulary, Word, learn_merges, merge_pair

GOES_ON = "##"
Join = Callable[[str, str], str]
SCORES = ("likelihood", "count")


def join(first: str, second: str) -> str:
    """un, ##able -> unable; ##a, ##ble -> ##able."""
    return first + second.removeprefix(GOES_ON)


def letters_of(words: Mapping[str, int], most: int | None = None) -> list[str]:
    """The letters of the words, sorted: all, or the `most` frequent; of equally frequent ones the first."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
    return sorted(sorted(counts, key=lambda letter: (-counts[letter], letter))[:most])


def learn_pieces(
    words: Mapping[str, int],
    vocab_size: int,
    *,
    special: Sequence[str] = (),
    min_frequency: int = 1,
    letters: int | None = None,
    score: str = "likelihood",
) -> list[str]:
    """The vocabulary of `words`, each with its count: special tokens, letters, letters that go on a word, pieces.

    It ends at `vocab_size`, or where no two pieces meet `min_frequency` times. A letter that is not among the `letters`
    most frequent is left out of its words, as tokenizers does it.
    Raises ArgumentError where there is no room for the letters, and for another score.
    """
    if score not in SCORES:
        raise ArgumentError("score", " or ".join(SCORES), repr(score))
    alphabet = letters_of(words, letters)
    known = set(alphabet)
    inside = sorted({letter for word in words for letter in word[1:] if letter in known})
    pieces = list(dict.fromkeys([*special, *alphabet, *(GOES_ON + letter for letter in inside)]))
    if len(pieces) > vocab_size:
        expected = f"at least {len(pieces)}: special tokens, and each letter at the beginning of a word and inside"
        raise ArgumentError("vocab_size", expected, vocab_size, "Limit the letters: letters=")
    id_of = {piece: i for i, piece in enumerate(pieces)}
    spelled: Counter[Word] = Counter()
    for word, count in words.items():
        parts = [GOES_ON * (i > 0) + letter for i, letter in enumerate(word) if letter in known]
        spelled[tuple(id_of[part] for part in parts)] += count
    learn = learn_likely_merges if score == "likelihood" else learn_merges
    vocabulary = Vocabulary(pieces, join)
    for pair in learn(spelled, pieces, vocab_size, min_frequency, join):
        vocabulary.merged(pair)
    return vocabulary.tokens


def learn_likely_merges_plainly(
    words: Mapping[Word, int], tokens: Sequence[str], vocab_size: int, min_frequency: int = 1, join: Join = join
) -> list[Pair]:
    """The merges by likelihood, all counted anew for each."""
    vocabulary, merges = Vocabulary(tokens, join), []
    current = [(list(word), count) for word, count in words.items()]
    while len(vocabulary.tokens) < vocab_size:
        singles: Counter[int] = Counter()
        pairs: Counter[Pair] = Counter()
        for word, count in current:
            for piece in word:
                singles[piece] += count
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        frequent = [pair for pair in pairs if pairs[pair] >= min_frequency]
        if not frequent:
            break
        best = min(frequent, key=lambda ab: (-pairs[ab] / (singles[ab[0]] * singles[ab[1]]), -pairs[ab], ab))
        merges.append(best)
        new = vocabulary.merged(best)
        current = [(merge_pair(word, best, new), count) for word, count in current]
    return merges


def learn_likely_merges(
    words: Mapping[Word, int], tokens: Sequence[str], vocab_size: int, min_frequency: int = 1, join: Join = join
) -> list[Pair]:
    """The same merges, from counts that are kept.

    A merge takes occurrences from its two pieces, and so raises the score of every pair that one of them is in: those
    are entered into the heap again. An entry that says no longer what is true is passed over.
    """
    vocabulary, merges, text = Vocabulary(tokens, join), [], LinkedWords(words)
    singles: Counter[int] = Counter()
    for word, count in words.items():
        for piece in word:
            singles[piece] += count
    pairs, around = text.pairs, defaultdict(set)  # piece -> the pairs that it is in
    for pair in pairs:
        around[pair[0]].add(pair)
        around[pair[1]].add(pair)

    def entry(pair: Pair) -> tuple[float, int, Pair]:
        return -pairs[pair] / (singles[pair[0]] * singles[pair[1]]), -pairs[pair], pair

    heap = [entry(pair) for pair in pairs if pairs[pair] >= min_frequency]
    heapq.heapify(heap)
    while len(vocabulary.tokens) < vocab_size and heap:
        found = heapq.heappop(heap)
        best = found[2]
        if pairs[best] < min_frequency or found != entry(best):
            continue
        merges.append(best)
        new = vocabulary.merged(best)
        for pair in text.merge(best, new):
            around[pair[0]].add(pair)
            around[pair[1]].add(pair)
        singles[best[0]] -= text.replaced
        singles[best[1]] -= text.replaced
        singles[new] += text.replaced
        for piece in {*best, new}:
            around[piece] = {pair for pair in around[piece] if pairs[pair] > 0}
            for pair in around[piece]:
                if pairs[pair] >= min_frequency:
                    heapq.heappush(heap, entry(pair))
    return merges
