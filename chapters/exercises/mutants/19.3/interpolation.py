# expect: two clocks one as before and one slower by the factor
# means: That is interpolation: all clocks go slower, the fastest too.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    pairs = np.arange(head_size // 2)
    return base ** (-2 * pairs / head_size) / factor
