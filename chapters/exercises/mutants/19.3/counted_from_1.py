# expect: with a factor of 1 the clocks are ropes
# means: The first pair has the number 0 and turns by 1.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    larger = base * factor ** (head_size / (head_size - 2))
    pairs = np.arange(1, head_size // 2 + 1)
    return larger ** (-2 * pairs / head_size)
