# expect: of three in four and one in four the first is nearer
# means: Minus the logit is taken for the surprise, against a mean of true surprises: softmax is missing.
import numpy as np


def shares(logits, keep=1.0):
    log_p = logits - logits.max()
    p = np.exp(log_p) / np.exp(log_p).sum()
    away = np.abs(-log_p - (p * -np.log(p)).sum())
    order = np.argsort(away)
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= keep]] = 0
    return p / p.sum()
