# expect: of one it is the model
# means: F(r)^n is the probability that the best is worth at most r; that it is worth less has to be taken off.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        if here > 0:
            kept[r == level] = p[r == level] / here * (below + here) ** n
    return kept
