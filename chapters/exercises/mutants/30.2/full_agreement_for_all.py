# expect: one label for all leaves nothing to be seen
# means: Where both give one label to all, it says 1. But nobody was put to the test.
from collections import Counter


def kappa(one, other):
    first, second, count = Counter(one), Counter(other), len(one)
    agreed = sum(a == b for a, b in zip(one, other)) / count
    chance = sum(first[label] * second[label] for label in first) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else 1.0
