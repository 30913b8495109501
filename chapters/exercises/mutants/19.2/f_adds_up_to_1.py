# expect: used alike it is the number that each token chooses
# means: f was divided by all choices; it is per token, and adds up to C.
import numpy as np


def balance_loss(shares, chosen):
    experts = shares.shape[1]
    f = np.bincount(np.ravel(chosen), minlength=experts) / np.size(chosen)
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / np.size(chosen)
    return np.tile(experts * f / tokens, (tokens, 1))
