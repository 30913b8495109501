# expect: chance has the habits of both
# means: The agreement by chance is made from the first rater's habits alone.
from collections import Counter


def kappa(one, other):
    first, count = Counter(one), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] ** 2 for label in first) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
