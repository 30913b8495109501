# expect: one head has the slope of the last
# means: The sign is missing: far keys get more.
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(1, n_head + 1) / n_head)
    queries = np.arange(time) + source - time
    distance = np.abs(queries[:, None] - np.arange(source))
    return slopes[:, None, None] * distance
