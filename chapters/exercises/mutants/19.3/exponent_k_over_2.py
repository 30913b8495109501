# expect: three clocks
# means: The exponent K / 2 is right for K = 4 alone.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** (head_size / 2)
    pairs = np.arange(head_size // 2)
    return larger ** (-2 * pairs / head_size)
