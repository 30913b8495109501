# expect: a row was repeated downwards
# means: It is the mean over the repeated places, and not the sum.
import numpy as np


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1)
    return np.asarray(g.mean(axis=stretched, keepdims=True))
