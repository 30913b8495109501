# expect: of two by hand
# means: Probabilities were weighed by the exponential of the reward; but only the order of the rewards matters.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p, r = np.asarray(probabilities, float), np.asarray(rewards, float)
    kept = p * np.exp((r - r.max()) * (n - 1))
    return kept / kept.sum()
