# expect: a context that nothing followed
import numpy as np


def discounted(counts, shorter, D):
    with np.errstate(invalid="ignore"):
        return (np.maximum(counts - D, 0) + D * (counts > 0).sum() * shorter) / counts.sum()
