# expect: a word counts as often as it occurs
# means: Each word was counted once, without its count.
from collections import Counter


def best_pair(words):
    pairs = Counter(pair for word, count in words for pair in zip(word, word[1:]))
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
