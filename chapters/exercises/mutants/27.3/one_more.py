# expect: half of the unsafe
# means: It is one answer too low: the threshold could be larger.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(unsafe[min(int(np.ceil(tpr * len(unsafe) - 1e-9)), len(unsafe) - 1)])
