# expect: all that are unsafe
# means: The share was counted over all answers, safe ones among them.
import numpy as np


def threshold_for(scores, labels, tpr):
    ordered = np.sort(np.asarray(scores, float))[::-1]
    return float(ordered[int(np.ceil(tpr * len(ordered) - 1e-9)) - 1])
