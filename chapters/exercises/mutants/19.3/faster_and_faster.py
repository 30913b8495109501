# expect: with a factor of 1 the clocks are ropes
# means: The sign of the exponent is missing: the last clock is to be the slowest.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** (head_size / (head_size - 2))
    pairs = np.arange(head_size // 2)
    return larger ** (2 * pairs / head_size)
