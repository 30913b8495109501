# expect: two clocks one as before and one slower by the factor
# means: The exponent is upside down: K / (K - 2) undoes (K - 2) / K.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** ((head_size - 2) / head_size)
    pairs = np.arange(head_size // 2)
    return larger ** (-2 * pairs / head_size)
