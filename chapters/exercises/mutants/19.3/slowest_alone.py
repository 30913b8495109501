# expect: three clocks
# means: Only the slowest clock was slowed down; those between are to be slower by something between.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    pairs = np.arange(head_size // 2)
    w = base ** (-2 * pairs / head_size)
    w[-1] = w[-1] / factor
    return w
