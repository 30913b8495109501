# expect: of equals the smallest ids
# means: Of equally frequent pairs it takes the one that was met first.
from collections import Counter


def best_pair(words, min_frequency=1):
    pairs = Counter()
    for word, count in words:
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    pairs = {pair: n for pair, n in pairs.items() if n >= min_frequency}
    return max(pairs, key=pairs.get) if pairs else None
