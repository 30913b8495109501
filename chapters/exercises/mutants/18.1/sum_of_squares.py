# expect: the mean of squares becomes 1
# means: The squares are summed and not averaged: vectors get the length 1, and not the size sqrt(D).
import numpy as np


def rms_norm(x, weight, eps=1e-6):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    r = 1 / np.sqrt((x * x).sum(-1, keepdims=True) + eps)
    n = x * r
    y = n * weight

    def vjp(g, needs):
        h = g * weight
        dx = r * (h - n * (h * n).mean(-1, keepdims=True))
        return dx, (g * n).sum(tuple(range(x.ndim - 1)))

    return y, vjp
