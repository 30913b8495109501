# expect: who meets all alike tells nothing
# means: Only the first word's frequency was divided by, and not the second's.
import numpy as np


def positive_pmi(counts):
    given = np.divide(counts, counts.sum(1, keepdims=True), out=np.ones(counts.shape), where=counts > 0)
    return np.maximum(np.log(given * len(counts) * 2), 0)
