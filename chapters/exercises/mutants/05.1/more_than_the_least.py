# expect: min_frequency
# means: A pair that occurs exactly `min_frequency` times was left out.
from collections import Counter


def best_pair(words, min_frequency=1):
    pairs = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    pairs = {pair: n for pair, n in pairs.items() if n > min_frequency}
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
