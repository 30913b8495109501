# expect: two clocks one as before and one slower by the factor
# means: A smaller base makes the clocks faster; it has to be larger.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base / factor ** (head_size / (head_size - 2))
    pairs = np.arange(head_size // 2)
    return larger ** (-2 * pairs / head_size)
