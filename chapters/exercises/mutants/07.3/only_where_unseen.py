# expect: what was seen gives a little to what was not
# means: Only tokens that were not seen get what was saved: all get their share of it.
import numpy as np


def discounted(counts, shorter, D):
    total = counts.sum()
    if total == 0:
        return shorter
    return np.where(counts > 0, np.maximum(counts - D, 0), D * (counts > 0).sum() * shorter) / total
