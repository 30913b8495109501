# expect: a window of 1 sees itself alone
# means: The window shows one position too few: with a window of 1 a position sees nothing, not even itself.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window + 1)


def far_back(layers, window):
    return layers * (window - 1)
