# expect: two bits by hand
# means: p_max is the mean of 1 - 1/(2C) and 1 - 1/(2(C - 1)); a factor of two is missing.
from statistics import NormalDist

import numpy as np


def normal_float(bits):
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 1 - (1 / count + 1 / (count - 1)) / 2
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)[1:]]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2)[1:]]
    return np.array([*below[::-1], 0.0, *above]) / above[-1]
