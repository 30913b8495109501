# expect: equals share by their probabilities
# means: Answers of one reward shared it evenly: the likelier one is drawn first more often.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        same = (r == level) & (p > 0)
        here, below = p[same].sum(), p[r < level].sum()
        if here > 0:
            kept[same] = ((below + here) ** n - below**n) / same.sum()
    return kept
