# expect: too rare
# means: Pairs that occur fewer than `min_frequency` times were not left out.
from collections import Counter


def best_pair(words, min_frequency=1):
    pairs = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
