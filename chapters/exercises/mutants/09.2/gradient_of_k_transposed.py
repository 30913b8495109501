# expect: the gradients by hand
# means: The gradient of k lies on its side: (T, S) must be transposed before it meets q.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)
    y = shares @ v

    def vjp(g, needs):
        dshares = g @ v.swapaxes(-1, -2)
        dscores = shares * (dshares - (dshares * shares).sum(-1, keepdims=True)) * scale
        return dscores @ k, q.swapaxes(-1, -2) @ dscores, shares.swapaxes(-1, -2) @ g

    return y, vjp
