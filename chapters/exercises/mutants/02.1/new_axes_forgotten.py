# expect: an axis that was not there
# means: The axes that come first and were not there before are not summed.
import numpy as np


def unbroadcast(g, shape):
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1)
    return np.asarray(g.sum(axis=stretched, keepdims=True))
