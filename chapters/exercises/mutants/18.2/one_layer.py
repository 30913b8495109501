# expect: each layer adds as much
# means: However many layers there are, one window is counted.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window)


def far_back(layers, window):
    return window - 1
