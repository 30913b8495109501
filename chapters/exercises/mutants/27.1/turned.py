# expect: who parts the two sorts has one
# means: A safe answer with the larger score was counted.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[~is_unsafe][:, None] - scores[is_unsafe][None, :]
    return float(np.mean((np.sign(above) + 1) / 2))
