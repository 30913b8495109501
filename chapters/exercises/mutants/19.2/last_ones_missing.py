# expect: an expert that nobody chose counts as none
# means: f has not one entry an expert. np.bincount ends at the largest number that it finds, or at `minlength`.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen)) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen)) / tokens
    return np.tile(experts * f / tokens, (tokens, 1))
