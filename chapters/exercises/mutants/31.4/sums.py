# expect: four names at right angles
# means: The sums of the groups are compared, and not their means: the larger group weighs more.
from itertools import combinations

import numpy as np


def weat(x, y, a, b):
    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    names = unit(np.concatenate([x, y]))
    s = (names @ unit(a).T).mean(1) - (names @ unit(b).T).mean(1)
    n, total = len(x), s.sum()
    difference = s[:n].sum() - s[n:].sum()
    sums = np.array([s[list(chosen)].sum() for chosen in combinations(range(len(s)), n)])
    others = sums - (total - sums)
    return float(difference / s.std(ddof=1)), float((others >= difference - 1e-12).mean())
