# expect: half as long costs a factor of e
# means: The penalty is c / r, the share of the length: the exponential is forgotten.
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
    penalty = len(candidate) / len(reference) if short else 1.0
    return penalty * product**0.25
