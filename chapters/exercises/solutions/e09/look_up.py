"""09.2  A dictionary that answers in shares, and its way back.

    shares = softmax(q kᵀ / √K)            (..., T, K), (..., S, K) -> (..., T, S)
    y      = shares v                      (..., T, S), (..., S, V) -> (..., T, V)

You return y and its vjp, which gives the gradients of q, k and v. It is three chain rules in a row: back through the
product with v, through the softmax (exercise 09.1), through the product of q and k. There may be axes in front, the
same for all three.
"""

import numpy as np


def look_up(q, k, v):
    # >>> the shares, then their mean of the values
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    y = shares @ v
    # <<<

    def vjp(g, needs):
        # >>> (dL/dq, dL/dk, dL/dv)
        dshares = g @ v.swapaxes(-1, -2)
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) * scale
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g
        # <<<

    return y, vjp
