# expect: the numbers are those of the paper
# means: Each column has a speed of its own: a sine and its cosine share one.
import numpy as np


def sinusoidal_table(length, width):
    turns = np.arange(length)[:, None] / 10000 ** (np.arange(width) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(turns[:, 0::2])
    table[:, 1::2] = np.cos(turns[:, 1::2])
    return table
