# expect: half of the unsafe
# means: It was counted from the smallest score: what scores at least t is found.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])
    return float(unsafe[int(np.ceil(tpr * len(unsafe) - 1e-9)) - 1])
