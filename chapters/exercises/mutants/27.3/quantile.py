# expect: half of the unsafe
# means: A quantile between two scores is no score, and finds too few.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(np.quantile(unsafe, 1 - tpr))
