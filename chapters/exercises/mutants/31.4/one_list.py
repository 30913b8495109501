# expect: each list has a mean of its own
# means: Nearness to the first list alone; nothing is taken from it.
from itertools import combinations

import numpy as np


def weat(x, y, a, b):
    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    names = unit(np.concatenate([x, y]))
    s = (names @ unit(a).T).mean(1)
    n, total = len(x), s.sum()
    difference = s[:n].mean() - s[n:].mean()
    sums = np.array([s[list(chosen)].sum() for chosen in combinations(range(len(s)), n)])
    others = sums / n - (total - sums) / len(y)
    return float(difference / s.std(ddof=1)), float((others >= difference - 1e-12).mean())
