# expect: at position 0 all hands point up
# means: The positions were counted from 1.
import numpy as np


def sinusoidal_table(length, width):
    turns = np.arange(1, length + 1)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(turns)
    table[:, 1::2] = np.cos(turns)
    return table
