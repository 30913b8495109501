# expect: the mean is geometric
# means: The four shares are averaged, and not multiplied: their geometric mean is the fourth root of the product.
import math
from collections import Counter


def runs(words, n):
    """How often each run of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    total = 0.0
    for n in (1, 2, 3, 4):
        own, other = runs(candidate, n), runs(reference, n)
        matched = sum(min(count, other[run]) for run, count in own.items())
        if not matched:
            return 0.0
        total += matched / own.total() / 4
    penalty = math.exp(min(0.0, 1 - len(reference) / len(candidate)))
    return penalty * total
