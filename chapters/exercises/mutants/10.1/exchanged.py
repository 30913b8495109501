# expect: at position 0 all hands point up
# means: Sines and cosines are exchanged.
import numpy as np


def sinusoidal_table(length, width):
    turns = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.cos(turns)
    table[:, 1::2] = np.sin(turns)
    return table
