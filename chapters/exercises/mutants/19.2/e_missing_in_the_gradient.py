# expect: the gradient is larger for who is chosen often
# means: The number of experts stands in front of the loss, and so in front of its gradient.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(f / tokens, (tokens, 1))
