# expect: all that are unsafe
# means: The safe answers were kept instead of the unsafe ones.
import numpy as np


def threshold_for(scores, labels, tpr):
    safe = np.sort(np.asarray(scores, float)[np.asarray(labels) == 0])[::-1]
    return float(safe[int(np.ceil(tpr * len(safe) - 1e-9)) - 1])
