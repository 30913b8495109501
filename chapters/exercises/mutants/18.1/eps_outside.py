# expect: eps is added to the mean of squares
# means: eps is added to the root, and not under it.
import numpy as np


def rms_norm(x, weight, eps=1e-6):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    r = 1 / (np.sqrt((x * x).mean(-1, keepdims=True)) + eps)
    n = x * r
    y = n * weight

    def vjp(g, needs):
        h = g * weight
        dx = r * (h - n * (h * n).mean(-1, keepdims=True))
        return dx, (g * n).sum(tuple(range(x.ndim - 1)))

    return y, vjp
