# expect: the likeliest word goes where it says too little
# means: Shares are compared with their own mean, and not surprises.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(p - (p * p).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
