# expect: a word that nobody says is in nobodys way
# means: Where a share is too small for a number it is 0, its surprise infinite, and 0 times infinity is no number.
import numpy as np


def shares(logits, keep=1.0):
    p = np.exp(logits - logits.max())
    p = p / p.sum()
    away = np.abs(-np.log(p) - (p * -np.log(p)).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
