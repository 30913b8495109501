# expect: a run counts no more often than the reference has it
# means: What is matched is divided by the reference's runs, which is ROUGE's recall: BLEU divides by the candidate's.
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
        product *= matched / other.total()
    penalty = math.exp(min(0.0, 1 - len(reference) / len(candidate)))
    return penalty * product**0.25
