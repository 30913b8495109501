# expect: with a factor of 1 the clocks are ropes
# means: The exponent is -2i/K: without the 2 the slowest clock is too fast.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** (head_size / (head_size - 2))
    pairs = np.arange(head_size // 2)
    return larger ** (-pairs / head_size)
