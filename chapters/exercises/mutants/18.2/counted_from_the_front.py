# expect: the last query stands beside the last key
# means: Places are counted from the front: the first query stands beside the first key, though the last one stands beside the last.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None]
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window)


def far_back(layers, window):
    return layers * (window - 1)
