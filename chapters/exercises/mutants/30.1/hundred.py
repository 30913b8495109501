# expect: a text is its own reference
# means: It goes from 0 to 100, as printed tables have it, and not from 0 to 1.
import math
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    product = 1.0
    for n in (1, 2, 3, 4):
        own, there = runs(candidate, n), runs(reference, n)
        matched = sum(min(count, there[run]) for run, count in own.items())
        if matched == 0:
            return 0.0
        product *= matched / sum(own.values())
    short = len(candidate) < len(reference)
    penalty = math.exp(1 - len(reference) / len(candidate)) if short else 1.0
    return 100 * penalty * product**0.25
