# expect: with a factor of 1 the clocks are ropes
# means: That is the new base; the clocks are its powers.
import numpy as np


def ntk_frequencies(head_size, base, factor):
    return np.full(head_size // 2, base * factor ** (head_size / (head_size - 2)))
