# expect: less than chance counts as nothing
# means: What is below 0 was not set to 0.
import numpy as np


def positive_pmi(counts):
    total = counts.sum()
    by_chance = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / max(total, 1)
    return np.log(np.divide(counts, by_chance, out=np.ones(counts.shape), where=counts > 0))
