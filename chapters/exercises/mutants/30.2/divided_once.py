# expect: a case counted by hand
# means: Products of counts are divided by the number of things once, and should be twice.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] * second[label] for label in first) / count
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
