# expect: one head has the slope of the last
# means: The slopes are those of eight heads, however many there are.
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(1, n_head + 1) / 8)
    queries = np.arange(time) + source - time
    distance = np.abs(queries[:, None] - np.arange(source))
    return -slopes[:, None, None] * distance
