"""29.2  The best of n, without drawing.

A model gives C answers the probabilities p (C,), and a scorer gives each a reward (C,). Somebody draws n answers, and
keeps the one with the largest reward; of equals the one that was drawn first. How probable is each answer to be kept?

An answer may be drawn more than once. All that is drawn is worth at most r with probability F(r)^n, where F(r) is the
probability that a single answer is worth at most r. Answers of one reward share what falls to that reward, each by its
own probability.
"""

import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    # >>> (C,), which sums to 1
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = np.zeros(len(p))
    for level in np.unique(r):
        here, below = p[r == level].sum(), p[r < level].sum()
        if here > 0:
            kept[r == level] = p[r == level] / here * ((below + here) ** n - below**n)
    return kept
    # <<<
