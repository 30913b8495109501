# expect: a window of 2 sees one back
# means: The window reaches forward, too: nothing hides what comes after.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return abs(key - stands) < window


def far_back(layers, window):
    return layers * (window - 1)
