# expect: a case counted by hand
# means: The agreement beyond chance is not divided by the most that is possible beyond chance.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] * second[label] for label in first) / count**2
    return (agreed - chance) if chance < 1 else float("nan")
