# expect: a case counted by hand
# means: Both raters' labels are thrown together, as in Scott's pi: Cohen leaves to each his own habits.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(((first[label] + second[label]) / 2) ** 2 for label in first | second) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
