# expect: the gradient is larger for who is chosen often
# means: f was given a slope as well: it counts choices, and is a constant here.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(experts * (f + shares.mean(axis=0)) / tokens, (tokens, 1))
