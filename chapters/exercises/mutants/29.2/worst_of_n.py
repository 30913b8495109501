# expect: of two by hand
# means: This is the worst of n: the least reward was kept.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, above = p[r == level].sum(), p[r > level].sum()
        if here > 0:
            kept[r == level] = p[r == level] / here * ((above + here) ** n - above**n)
    return kept
