# expect: the last query stands beside the last key
# means: Places are counted from the front; but it is the last query that stands beside the last key.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None]
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window)


def far_back(layers, window):
    return layers * (window - 1)
