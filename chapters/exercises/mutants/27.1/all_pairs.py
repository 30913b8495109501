# expect: who parts the two sorts has one
# means: The count was divided by all pairs of answers: only pairs of an unsafe and a safe one count.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[is_unsafe][:, None] - scores[~is_unsafe][None, :]
    return float(((np.sign(above) + 1) / 2).sum() / (len(scores) * (len(scores) - 1) / 2))
