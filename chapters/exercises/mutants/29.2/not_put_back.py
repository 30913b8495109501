# expect: of two by hand
# means: The probabilities stand in the order of the rewards, and not where their answers stand.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    order = np.argsort(r, kind="stable")
    p, r = p[order], r[order]
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        if here > 0:
            kept[r == level] = p[r == level] / here * ((below + here) ** n - below**n)
    return kept
