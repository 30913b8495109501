# expect: min_frequency
# means: The count was held against `min_frequency` word by word, and not the pair's count in the whole text.
from collections import Counter


def best_pair(words, min_frequency=1):
    pairs = Counter()
    for word, count in words:
        if count >= min_frequency:
            for pair in zip(word, word[1:]):
                pairs[pair] += count
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
