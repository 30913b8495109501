# expect: one expert for all costs as much as there are experts
# means: The sum is not multiplied by the number of experts.
import numpy as np


def balance_loss(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return float((f * shares.mean(axis=0)).sum())


def balance_gradient(shares, chosen):
    tokens, experts = shares.shape
    f = np.bincount(np.ravel(chosen), minlength=experts) / tokens
    return np.tile(experts * f / tokens, (tokens, 1))
