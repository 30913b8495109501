# expect: a window of 2 sees one back
# means: Rows are keys and columns are queries: the table lies on its side.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return ((key <= stands) & (key > stands - window)).T


def far_back(layers, window):
    return layers * (window - 1)
