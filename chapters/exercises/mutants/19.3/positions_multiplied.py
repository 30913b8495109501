# expect: two clocks one as before and one slower by the factor
# means: The clocks go faster: positions were multiplied by the factor.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    pairs = np.arange(head_size // 2)
    return base ** (-2 * pairs / head_size) * factor
