# expect: a run counts no more often than the reference has it
# means: Each different run counts once, however often it stands there.
import math
from collections import Counter


def runs(words, n):
    """How often each run of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    product = 1.0
    for n in (1, 2, 3, 4):
        own, other = runs(candidate, n), runs(reference, n)
        matched = sum(min(1, other[run]) for run, count in own.items())
        if not matched:
            return 0.0
        product *= matched / len(own)
    penalty = math.exp(min(0.0, 1 - len(reference) / len(candidate)))
    return penalty * product**0.25
