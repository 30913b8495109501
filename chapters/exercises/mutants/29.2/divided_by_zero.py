# expect: what is never drawn is never kept
# means: A reward that only answers of probability 0 have shares out 0 / 0.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        with np.errstate(invalid="ignore"):
            kept[r == level] = p[r == level] / here * ((below + here) ** n - below**n)
    return kept
