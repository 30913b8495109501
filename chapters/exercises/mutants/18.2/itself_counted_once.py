# expect: one layer reaches what its window shows
# means: How many positions are seen is counted, its own among them, and not how far back they lie.
import numpy as np


def visible(queries, keys, window):
    stands = np.arange(queries)[:, None] + keys - queries
    key = np.arange(keys)
    return (key <= stands) & (key > stands - window)


def far_back(layers, window):
    return layers * (window - 1) + 1
