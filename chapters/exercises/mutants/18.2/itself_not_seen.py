# expect: a window of 1 sees itself alone
# means: A position does not see itself.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key < stands) & (key > stands - window)


def far_back(layers, window):
    return layers * (window - 1)
