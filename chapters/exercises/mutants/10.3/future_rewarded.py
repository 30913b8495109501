# expect: one head has the slope of the last
# means: The distance has a sign: keys that come later get more, and not less.
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(1, n_head + 1) / n_head)
    queries = np.arange(time) + source - time
    distance = queries[:, None] - np.arange(source)
    return -slopes[:, None, None] * distance
