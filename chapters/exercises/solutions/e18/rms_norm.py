"""18.1  RMSNorm.

    n = x / sqrt(mean of x² + eps)          the mean over the last axis, one vector at a time
    y = n · weight                          (..., D), (D,) -> (..., D)

Nothing is subtracted and nothing added: a vector gets the size sqrt(D), and keeps its direction. On the way back each x
has two ways to reach y: by itself, and through the mean of squares. With h = g · weight = dL/dn and
r = 1 / sqrt(mean of x² + eps):

    dL/dx = r · (h - the part of h that the size takes away)

Where eps is 0, stretching x changes nothing: then dL/dx has no part along n. But moving all of x together does change
y, other than with layer norm. `vjp` returns the gradients of x and weight. The latter is shared by all vectors: what is
shared is summed. (Some norms have no weight; the first line sees to that.)
"""

import numpy as np


def rms_norm(x, weight, eps=1e-6):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    # >>> n and r, then y
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    n = x * r
    y = n * weight
    # <<<

    def vjp(g, needs):
        # >>> (dL/dx, dL/dweight)
        h = g * weight
        dx = r * (h - n * (h * n).mean(-1, keepdims=True))
        return dx, (g * n).sum(tuple(range(x.ndim - 1)))
        # <<<

    return y, vjp
