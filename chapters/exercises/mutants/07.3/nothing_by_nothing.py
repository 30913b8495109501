# expect: a context that nothing followed
# means: 0 was divided by 0: nothing followed this context.
import numpy as np


def discounted(counts, shorter, D):
    with np.errstate(invalid="ignore"):
        return (np.maximum(counts - D, 0) + D * (counts > 0).sum() * shorter) / counts.sum()
