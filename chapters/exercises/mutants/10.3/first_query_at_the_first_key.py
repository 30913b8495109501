# expect: the last query stands at the last key
import numpy as np


def alibi_bias(n_head, time, source):
    slopes = 2.0 ** (-8 * np.arange(1, n_head + 1) / n_head)
    queries = np.arange(time)
    distance = np.abs(queries[:, None] - np.arange(source))
    return -slopes[:, None, None] * distance
