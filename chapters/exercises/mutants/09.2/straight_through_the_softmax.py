# expect: the gradients by hand
# means: The gradient went past the softmax as if it were not there.
import numpy as np


def look_up(q, k, v):
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares = shares / shares.sum(-1, keepdims=True)

    def vjp(g, needs):
        dscores = g @ v.swapaxes(-1, -2) * scale
        return dscores @ k, dscores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g

    return shares @ v, vjp
