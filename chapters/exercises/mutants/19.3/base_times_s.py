# expect: two clocks one as before and one slower by the factor
# means: The base times s is not enough: the slowest pair has the power (K - 2) / K of it, which is less than 1.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor
    pairs = np.arange(head_size // 2)
    return larger ** (-2 * pairs / head_size)
