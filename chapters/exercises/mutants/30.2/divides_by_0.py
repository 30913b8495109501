# expect: one label for all leaves nothing to be seen
# means: Where everybody always says the same, it divides 0 by 0.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] * second[label] for label in first) / count**2
    return (agreed - chance) / (1 - chance)
