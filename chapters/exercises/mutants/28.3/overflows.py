# expect: large logits do not overflow
# means: The exponential is taken of the logits as they are, and large ones overflow.
import numpy as np


def shares(logits, keep=1.0):
    p = np.exp(logits) / np.exp(logits).sum()
    away = np.abs(-np.log(p) - (p * -np.log(p)).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
