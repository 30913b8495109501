# expect: two who meet only each other
# means: The logarithm is that to base 2.
import numpy as np


def positive_pmi(counts):
    by_chance = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / max(counts.sum(), 1)
    ratio = np.divide(counts, by_chance, out=np.ones(counts.shape), where=counts > 0)
    return np.maximum(np.log2(ratio), 0)
