# expect: of equals the smallest ids
# means: Of equally frequent pairs it takes the one with the largest ids.
from collections import Counter


def best_pair(words):
    pairs = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return max(pairs, key=lambda pair: (pairs[pair], pair)) if pairs else None
