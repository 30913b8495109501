# expect: two clocks one as before and one slower by the factor
# means: The clocks go as fast as without a factor.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base
    pairs = np.arange(head_size // 2)
    return larger ** (-2 * pairs / head_size)
