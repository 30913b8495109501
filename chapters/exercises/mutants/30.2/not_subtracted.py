# expect: a case counted by hand
# means: This is the share of equal labels: what chance would give is not subtracted.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] * second[label] for label in first) / count**2
    return agreed
