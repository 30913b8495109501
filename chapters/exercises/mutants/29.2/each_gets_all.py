# expect: equals share by their probabilities
# means: Answers of one reward each got all that falls to that reward: they share it.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for i, level in enumerate(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        kept[i] = (below + here) ** n - below**n if p[i] > 0 else 0
    return kept
