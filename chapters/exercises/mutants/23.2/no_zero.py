# expect: two bits by hand
# means: All quantiles are cut evenly from end to end: none of them is 0.
from statistics import NormalDist

import numpy as np


def normal_float(bits):
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 1 - (1 / count + 1 / (count - 1)) / 4
    values = np.array([quantile(p) for p in np.linspace(1 - last, last, count)])
    return values / values[-1]
