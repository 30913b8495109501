# expect: a share that is no exact number
# means: A product such as 0.1 * 3 * 10 is a little above 3, and its ceiling is 4.
import numpy as np


def threshold_for(scores, labels, tpr):
    unsafe = np.sort(np.asarray(scores, float)[np.asarray(labels) > 0])[::-1]
    return float(unsafe[int(np.ceil(tpr * len(unsafe))) - 1])
