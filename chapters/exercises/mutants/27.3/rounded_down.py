# expect: at least the share
# means: The count was rounded down: then less than the share is found.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(unsafe[max(int(tpr * len(unsafe) + 1e-9) - 1, 0)])
