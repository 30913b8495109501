# expect: two pairs of six are the wrong way round
# means: This is the share of right answers at the threshold 1/2; the area needs no threshold.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    return float(np.mean((scores >= 0.5) == is_unsafe))
