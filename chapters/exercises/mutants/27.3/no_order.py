# expect: scores may be below nothing and in any order
# means: The scores were not sorted.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.asarray(scores, float)[np.asarray(labels) > 0]
    return float(unsafe[int(np.ceil(tpr * len(unsafe) - 1e-9)) - 1])
