# expect: a query that does not care gets the mean
# means: The shares of each key sum to 1 over the queries: those of each query should, over the keys.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max(-2, keepdims=True))
    shares = shares / shares.sum(-2, keepdims=True)

    def vjp(g, needs):
        dshares = g @ v.swapaxes(-1, -2)
        dscores = shares * (dshares - (dshares * shares).sum(-2, keepdims=True)) * scale
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g

    return shares @ v, vjp
