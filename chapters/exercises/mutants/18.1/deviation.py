# expect: nothing is subtracted
# means: The size is taken from the variance, that is from the mean; RMSNorm takes it from 0.
import numpy as np


def rms_norm(x, weight, eps=1e-6):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    r = 1 / np.sqrt(x.var(-1, keepdims=True) + eps)
    n = x * r
    y = n * weight

    def vjp(g, needs):
        h = g * weight
        dx = r * (h - n * (h * n).mean(-1, keepdims=True))
        return dx, (g * n).sum(tuple(range(x.ndim - 1)))

    return y, vjp
