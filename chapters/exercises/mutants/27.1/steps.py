# expect: one tie beside an ordered pair
# means: The curve was drawn through each answer, ties in the order in which they stand: equal scores are one point.
import numpy as np


def roc_auc(scores, labels):
    scores, is_unsafe = np.asarray(scores, float), np.asarray(labels) > 0
    ordered = is_unsafe[np.argsort(-scores, kind="stable")]
    tpr = ordered.cumsum() / ordered.sum()
    return float(tpr[~ordered].mean())
