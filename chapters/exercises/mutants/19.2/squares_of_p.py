# expect: an expert that nobody chose counts as none
# means: P was squared; it is to be multiplied by f, how often each was chosen.
import numpy as np


def balance_loss(shares, chosen):
    experts = shares.shape[1]
    mean = shares.mean(axis=0)
    return float(experts * (mean * mean).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(experts * f / tokens, (tokens, 1))
