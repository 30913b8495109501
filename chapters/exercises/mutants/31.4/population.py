# expect: four names at right angles
# means: Your deviation divides by N + M; that of a sample divides by N + M - 1.
from itertools import combinations

import numpy as np


def weat(x, y, a, b):
    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    names = unit(np.concatenate([x, y]))
    s = (names @ unit(a).T).mean(1) - (names @ unit(b).T).mean(1)
    n, total = len(x), s.sum()
    difference = s[:n].mean() - s[n:].mean()
    sums = np.array([s[list(chosen)].sum() for chosen in combinations(range(len(s)), n)])
    others = sums / n - (total - sums) / len(y)
    return float(difference / s.std()), float((others >= difference - 1e-12).mean())
