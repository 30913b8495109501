# expect: the gradient is larger for who is chosen often
# means: Every token's share is in P, not only that of the experts which it chose itself.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    own = (np.arange(experts) == chosen[:, :, None]).any(axis=1)
    return own * experts * f / tokens
