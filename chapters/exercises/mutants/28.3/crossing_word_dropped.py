# expect: the word that crosses stays
# means: The word with which the sum crosses was dropped.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(-log_p - (p * -log_p).sum())
    order = np.argsort(away)
    held = np.cumsum(p[order])
    p[order[1:][held[1:] > keep]] = 0
    return p / p.sum()
