# expect: used alike it is the number that each token chooses
# means: Only each token's first choice is counted.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(chosen[:, 0], minlength=experts) / tokens
    return float(experts * (f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(chosen[:, 0], minlength=experts) / tokens
    return np.tile(experts * f / tokens, (tokens, 1))
