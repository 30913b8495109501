# expect: longer than the reference costs no penalty
# means: A candidate that is longer than the reference gets more than 1 for its length.
import math
from collections import Counter


def runs(words, n):
    """How often each run of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    product = 1.0
    for n in (1, 2, 3, 4):
        own, other = runs(candidate, n), runs(reference, n)
        matched = sum(min(count, other[run]) for run, count in own.items())
        if not matched:
            return 0.0
        product *= matched / own.total()
    penalty = math.exp(1 - len(reference) / len(candidate))
    return penalty * product**0.25
