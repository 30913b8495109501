# expect: a case counted by hand
# means: The agreement by chance is made from the second rater's habits alone.
from collections import Counter


def kappa(one, other):
    second, count = Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(second[label] ** 2 for label in second) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
