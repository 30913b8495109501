# expect: the second of two is a hundred times slower
# means: The slow ones come first.
import numpy as np


def sinusoidal_table(length, width):
    turns = np.arange(length)[:, None] / 10000 ** (np.arange(width - 2, -1, -2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(turns)
    table[:, 1::2] = np.cos(turns)
    return table
