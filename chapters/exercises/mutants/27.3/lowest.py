# expect: half of the unsafe
# means: The smallest threshold was taken that finds the share: it loses more safe answers than it must.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(unsafe[-1])
