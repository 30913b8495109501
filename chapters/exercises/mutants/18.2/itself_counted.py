# expect: one layer reaches what its window shows
# means: Each layer is said to reach back a whole window; but a position is itself one of those that it sees.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window)


def far_back(layers, window):
    return layers * window
