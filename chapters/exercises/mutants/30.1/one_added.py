# expect: no run of four in common is 0
# means: One is added to the counts of the longer runs: that smoothes, and a text without a match gets a score.
import math
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    if len(candidate) < 4:
        return 0.0
    product = 1.0
    for n in (1, 2, 3, 4):
        own, there = runs(candidate, n), runs(reference, n)
        matched = sum(min(count, there[run]) for run, count in own.items())
        product *= (matched + (n > 1)) / (sum(own.values()) + (n > 1))
    short = len(candidate) < len(reference)
    penalty = math.exp(1 - len(reference) / len(candidate)) if short else 1.0
    return penalty * product**0.25
