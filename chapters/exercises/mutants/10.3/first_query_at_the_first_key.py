# expect: the last query stands at the last key
# means: The first query was put at the first key: the last one stands at the last.
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(1, n_head + 1) / n_head)
    queries = np.arange(time)
    distance = np.abs(queries[:, None] - np.arange(source))
    return -slopes[:, None, None] * distance
