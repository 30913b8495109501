# expect: what only stretches has no gradient
# means: dL/dx lacks the way through the size: the part along n is still in it.
import numpy as np


def rms_norm(x, weight, eps=1e-6):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    n = x * r
    y = n * weight

    def vjp(g, needs):
        h = g * weight
        dx = r * h
        return dx, (g * n).sum(tuple(range(x.ndim - 1)))

    return y, vjp
