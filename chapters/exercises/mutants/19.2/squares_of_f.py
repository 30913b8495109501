# expect: by hand
# means: f was squared; it is to be multiplied by P, the mean of the shares.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * f).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(experts * f / tokens, (tokens, 1))
