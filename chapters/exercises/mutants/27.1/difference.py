# expect: who parts the two sorts has one
# means: It counts by how much one is above the other: only whether counts.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[is_unsafe][:, None] - scores[~is_unsafe][None, :]
    return float(np.mean((np.clip(above, -1, 1) + 1) / 2))
