# expect: each vector by itself
# means: Mean and variance run over the whole array: they belong to each vector, along the last axis.
import numpy as np


def layer_norm(x, weight, bias, eps=1e-5):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1:], x.dtype) if bias is None else bias
    r = 1 / np.sqrt(x.var() + eps)
    n = (x - x.mean()) * r
    y = n * weight + bias

    def vjp(g, needs):
        h = g * weight
        dx = r * (h - h.mean(-1, keepdims=True) - n * (h * n).mean(-1, keepdims=True))
        rows = tuple(range(x.ndim - 1))
        return dx, (g * n).sum(rows), g.sum(rows)

    return y, vjp
