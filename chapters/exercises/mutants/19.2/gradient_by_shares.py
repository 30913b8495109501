# expect: the gradient is larger for who is chosen often
# means: The gradient of f P by P is f; here it is P again.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    return np.tile(experts * shares.mean(axis=0) / tokens, (tokens, 1))
