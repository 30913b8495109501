# expect: two bits by hand
# means: The halves have changed places: one more number lies above 0 than below.
from statistics import NormalDist

import numpy as np


def normal_float(bits):
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 1 - (1 / count + 1 / (count - 1)) / 4
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2)[1:]]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)[1:]]
    return np.array([*below[::-1], 0.0, *above]) / above[-1]
