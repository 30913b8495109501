# expect: a pair does not reach into the next word
# means: Pairs were counted from the end of one word into the next.
from collections import Counter


def best_pair(words, min_frequency=1):
    text = [i for word, count in words for i in list(word) * count]
    pairs = Counter(zip(text, text[1:]))
    pairs = {pair: n for pair, n in pairs.items() if n >= min_frequency}
    return min(pairs, key=lambda pair: (-pairs[pair], pair)) if pairs else None
