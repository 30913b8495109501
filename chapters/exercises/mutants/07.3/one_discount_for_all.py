# expect: what was seen gives a little to what was not
# means: One discount was given away, and not one for each token that was seen.
import numpy as np


def discounted(counts, shorter, D):
    total = counts.sum()
    return shorter if total == 0 else (np.maximum(counts - D, 0) + D * shorter) / total
