# expect: the likeliest word goes where it says too little
# means: The order is by how likely words are, as with top-p: the distance from the mean counts, on either side.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = -log_p
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
