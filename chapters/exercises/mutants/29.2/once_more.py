# expect: of one it is the model
# means: It drew one answer too many: with n = 1 the model is as it was.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        if here > 0:
            kept[r == level] = p[r == level] / here * ((below + here) ** (n + 1) - below ** (n + 1))
    return kept
