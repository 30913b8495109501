# expect: of equals the smallest ids
from collections import Counter


def best_pair(words):
    pairs = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return max(pairs, key=lambda pair: (pairs[pair], pair)) if pairs else None
