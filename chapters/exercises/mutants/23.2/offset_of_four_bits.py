# expect: two bits by hand
# means: p_max is that of four bits, whatever the bits are.
from statistics import NormalDist

import numpy as np


def normal_float(bits):
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 0.9677083333333334
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)[1:]]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2)[1:]]
    return np.array([*below[::-1], 0.0, *above]) / above[-1]
