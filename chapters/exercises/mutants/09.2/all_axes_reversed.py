# expect: axes in front stay where they are
# means: `.T` turns all axes around, those in front too: only the last two may be exchanged.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.T * scale
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    y = shares @ v

    def vjp(g, needs):
        dshares = g @ v.T
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) * scale
        return dscores @ k, dscores.T @ q, shares.T @ g

    return y, vjp
