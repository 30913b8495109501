# expect: who has them the wrong way round has nothing
# means: A pair in the wrong order counts -1 here; it counts 0.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    above = scores[is_unsafe][:, None] - scores[~is_unsafe][None, :]
    return float(np.mean(np.sign(above)))
