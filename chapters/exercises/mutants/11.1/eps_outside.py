# expect: eps is added to the variance
# means: eps was added to the deviation, outside the root: it belongs to the variance.
import numpy as np


def layer_norm(x, weight, bias, eps=1e-5):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1:], x.dtype) if bias is None else bias
    r = 1 / (np.sqrt(x.var(-1, keepdims=True)) + eps)
    n = (x - x.mean(-1, keepdims=True)) * r
    y = n * weight + bias

    def vjp(g, needs):
        h = g * weight
        dx = r * (h - h.mean(-1, keepdims=True) - n * (h * n).mean(-1, keepdims=True))
        rows = tuple(range(x.ndim - 1))
        return dx, (g * n).sum(rows), g.sum(rows)

    return y, vjp
