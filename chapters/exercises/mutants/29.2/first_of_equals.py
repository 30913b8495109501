# expect: where all are worth the same nothing changes
# means: Of equals the one that is listed first got all: it is the one that is drawn first, and that is any of them.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        kept[np.flatnonzero((r == level) & ((p > 0) | (here == 0)))[0]] = (below + here) ** n - below**n
    return kept
