# expect: two bits by hand
# means: 0 stands there twice: both halves begin with it.
from statistics import NormalDist

import numpy as np


def normal_float(bits):
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 1 - (1 / count + 1 / (count - 1)) / 4
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)[1:]]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2)]
    return np.array([*below[::-1], 0.0, *above]) / above[-1]
