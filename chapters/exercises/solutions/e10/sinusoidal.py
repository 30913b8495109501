"""10.1  Clocks.

    p[t, 2i]     = sin(t / 10000^(2i / D))
    p[t, 2i + 1] = cos(t / 10000^(2i / D))        (T, D), D even, i = 0 .. D/2 - 1

Each pair of columns is the hand of a clock: sine and cosine of one angle. The first hand turns by 1 a position, each
next one slower. Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5.
"""

import numpy as np


def sinusoidal_table(length, width):
    # >>> (length, width)
    turns = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(turns)
    table[:, 1::2] = np.cos(turns)
    return table
    # <<<
