# expect: half as long costs a factor of e
# means: There is no penalty for a candidate that is too short.
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
    penalty = 1.0
    return penalty * product**0.25
