# expect: it is shared as the shorter context would
# means: What was saved was shared evenly, and not as the shorter context would.
import numpy as np


def discounted(counts, shorter, D):
    total = counts.sum()
    return shorter if total == 0 else (np.maximum(counts - D, 0) + D * (counts > 0).sum() / len(counts)) / total
