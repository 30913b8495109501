# expect: a window of 2 sees one back
# means: The past is hidden, and what comes after is seen.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key >= stands) & (key < stands + window)


def far_back(layers, window):
    return layers * (window - 1)
