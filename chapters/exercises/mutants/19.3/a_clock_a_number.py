# expect: with a factor of 1 the clocks are ropes
# means: There are K / 2 clocks, one a pair, and not one a number.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** (head_size / (head_size - 2))
    pairs = np.arange(head_size)
    return larger ** (-2 * pairs / head_size)
