# expect: the gradient is larger for who is chosen often
# means: P is a mean over the tokens: the gradient of one share is 1/N of what it would be for a sum.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(experts * f, (tokens, 1))
