# expect: who meets all alike tells nothing
import numpy as np


def positive_pmi(counts):
    given = np.divide(counts, counts.sum(1, keepdims=True), out=np.ones(counts.shape), where=counts > 0)
    return np.maximum(np.log(given * len(counts) * 2), 0)
