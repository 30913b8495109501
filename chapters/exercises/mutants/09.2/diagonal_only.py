# expect: you called
# means: Only the diagonal of the softmax's slope was used, y (1 - y): each score also moves all the other shares.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)

    def vjp(g, needs):
        dscores = shares * (1 - shares) * (g @ v.swapaxes(-1, -2)) * scale
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g

    return shares @ v, vjp
