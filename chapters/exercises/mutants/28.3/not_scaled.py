# expect: the likeliest word goes where it says too little
# means: What remains was not scaled to sum to 1.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(-log_p - (p * -log_p).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p
