# expect: where all is kept it is softmax
# means: The shares are returned in the order of the distances, and not at the places of their words.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(-log_p - (p * -log_p).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p = np.where(before >= keep, 0, p[order])
    return p / p.sum()
