# expect: equal scores count half
# means: Equal scores count nothing here: they count half.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[is_unsafe][:, None] > scores[~is_unsafe][None, :]
    return float(above.mean())
