# expect: three clocks
# means: The slowing grows in equal steps; it has to grow by equal factors, as the powers of one base do.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    pairs = np.arange(head_size // 2)
    w = base ** (-2 * pairs / head_size)
    return w / (1 + (factor - 1) * pairs / pairs[-1])
