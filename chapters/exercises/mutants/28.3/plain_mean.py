# expect: the word that crosses stays
# means: The mean is over words as if all were equally likely: each counts by its share.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(-log_p - (-log_p).mean())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
