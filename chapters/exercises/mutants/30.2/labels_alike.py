# expect: a case counted by hand
# means: Chance is taken to give every label equally often, whatever the raters' habits.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = 1 / len(first | second)
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
