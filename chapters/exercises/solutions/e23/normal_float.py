"""23.2  NF4's numbers.

A format of `bits` bits has C = 2^bits numbers. NormalFloat places them so that each is used about equally often by
normal weights, and so that 0 is one of them. The two halves of the bell are cut apart, at probabilities p that are
evenly spaced from 1/2 to p_max, both among them:

    above 0:  the quantiles of C/2 + 1 probabilities, without the first, which is 0
    below 0:  minus the quantiles of C/2 probabilities, without the first
    p_max  =  the mean of 1 - 1/(2C) and 1 - 1/(2(C - 1)): at 1 the quantile would be infinite

All are divided by the largest, so that they go from -1 to 1.

    normal_float(bits)    -> (C,) rising numbers

bits is at least 2. `NormalDist().inv_cdf(p)` is the quantile: below it lies the share p of the bell.
"""

from statistics import NormalDist

import numpy as np


def normal_float(bits):
    # >>> two halves, a zero between, over the largest
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = 1 - (1 / count + 1 / (count - 1)) / 4
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)[1:]]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2)[1:]]
    return np.array([*below[::-1], 0.0, *above]) / above[-1]
    # <<<
