# expect: the second of two is a hundred times slower
# means: All sines stand before all cosines: they take turns.
import numpy as np


def sinusoidal_table(length, width):
    turns = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, : width // 2] = np.sin(turns)
    table[:, width // 2 :] = np.cos(turns)
    return table
