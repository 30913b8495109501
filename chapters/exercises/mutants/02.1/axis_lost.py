# expect: axes of size 1 left out
# means: The stretched axis was summed away; its size 1 must stay.
import numpy as np


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return np.asarray(g.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1)))
