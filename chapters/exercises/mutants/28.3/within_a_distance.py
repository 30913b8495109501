# expect: the word that crosses stays
# means: All words within the distance `keep` remain: it is a sum of shares.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    log_p = log_p - np.log(np.exp(log_p).sum())
    p = np.exp(log_p)
    away = np.abs(-log_p - (p * -log_p).sum())
    p[away > max(keep, away.min())] = 0
    return p / p.sum()
