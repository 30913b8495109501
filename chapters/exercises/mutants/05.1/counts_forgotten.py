# expect: a word counts as often as it occurs
# means: Each word was counted once, without its count.
from collections import Counter


def best_pair(words, min_frequency=1):
    pairs = Counter(pair for word, count in words for pair in zip(word, word[1:]))
    pairs = {pair: n for pair, n in pairs.items() if n >= min_frequency}
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
