# expect: two pairs of six are the wrong way round
# means: Each unsafe answer was compared with one safe one; it has to be compared with all.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    some = min(is_unsafe.sum(), (~is_unsafe).sum())
    above = np.sort(scores[is_unsafe])[:some] - np.sort(scores[~is_unsafe])[:some]
    return float(np.mean((np.sign(above) + 1) / 2))
