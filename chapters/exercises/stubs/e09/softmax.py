"""09.1  Scores into shares.

Attention compares one query with every key and gets a score for each: any numbers. A mean needs shares: positive, and
1 in all. Softmax makes them:

    y_i = exp(x_i) / sum_j exp(x_j)          (..., C) -> (..., C), along `axis`

You return two things, as every operation of this package does: the value y, and `vjp`, which turns g = dL/dy into
dL/dx. (`needs` says whether anybody wants that; here you need not ask.) A softmax has a slope for each pair of entries,
dy_i/dx_j = y_i (1 if i = j else 0) - y_i y_j; multiply by g_i, sum over i, and see how short it becomes.
"""

import numpy as np
from tinygrad_llm.course import Todo


def softmax(x, axis=-1):
    raise Todo("y, which must not overflow when a score is 1000")

    def vjp(g, needs):
        raise Todo("dL/dx from g = dL/dy and y")

    return y, vjp
