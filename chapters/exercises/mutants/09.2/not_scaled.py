# expect: scores are divided by the root of the size
# means: The scores were not divided by the root of K.
import numpy as np


def look_up(q, k, v):
    scores = q @ k.swapaxes(-1, -2)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)

    def vjp(g, needs):
        dshares = g @ v.swapaxes(-1, -2)
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True))
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g

    return shares @ v, vjp
