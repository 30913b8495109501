"""09.1  Scores into shares.

Attention compares one query with every key and gets a score for each: any numbers. A mean needs shares: positive, and
1 in all. Softmax makes them:

    y_i = exp(x_i) / sum_j exp(x_j)          (..., C) -> (..., C), along `axis`

You return two things, as every operation of this package does: the value y, and `vjp`, which turns g = dL/dy into
dL/dx. (`needs` says whether anybody wants that; here you need not ask.) A softmax has a slope for each pair of entries,
dy_i/dx_j = y_i (1 if i = j else 0) - y_i y_j; multiply by g_i, sum over i, and see how short it becomes.
"""

import numpy as np


def softmax(x, axis=-1):
    # >>> y, which must not overflow when a score is 1000
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum(axis, keepdims=True)
    # <<<

    def vjp(g, needs):
        # >>> dL/dx from g = dL/dy and y
        return y * (g - (g * y).sum(axis, keepdims=True))
        # <<<

    return y, vjp
