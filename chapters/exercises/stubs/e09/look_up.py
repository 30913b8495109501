"""09.2  A dictionary that answers in shares, and its way back.

    shares = softmax(q kᵀ / √K)            (..., T, K), (..., S, K) -> (..., T, S)
    y      = shares v                      (..., T, S), (..., S, V) -> (..., T, V)

You return y and its vjp, which gives the gradients of q, k and v. It is three chain rules in a row: back through the
product with v, through the softmax (exercise 09.1), through the product of q and k. There may be axes in front, the
same for all three.
"""

import numpy as np
from tinygrad_llm.course import Todo


def look_up(q, k, v):
    raise Todo("the shares, then their mean of the values")

    def vjp(g, needs):
        raise Todo("(dL/dq, dL/dk, dL/dv)")

    return y, vjp
