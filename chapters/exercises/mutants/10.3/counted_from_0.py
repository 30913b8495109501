# expect: one head has the slope of the last
# means: The heads were counted from 0.
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(n_head) / n_head)
    queries = np.arange(time) + source - time
    distance = np.abs(queries[:, None] - np.arange(source))
    return -slopes[:, None, None] * distance
