# expect: big scores do not overflow
# means: The maximum of the whole array was taken off: each query needs its own.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max())
    shares = shares / shares.sum(-1, keepdims=True)
    y = shares @ v

    def vjp(g, needs):
        dshares = g @ v.swapaxes(-1, -2)
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) * scale
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g

    return y, vjp
