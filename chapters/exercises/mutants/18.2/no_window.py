# expect: a window of 1 sees itself alone
# means: The future is hidden, but nothing of the past is.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return key <= stands


def far_back(layers, window):
    return layers * (window - 1)
