# expect: of two by hand
# means: It raises the probability that a single draw is worth so much to n: that is, that all n draws are.
import numpy as np


def best_of_n_probabilities(probabilities, rewards, n):
    p = np.asarray(probabilities, float)
    kept = p**n
    return kept / kept.sum()
