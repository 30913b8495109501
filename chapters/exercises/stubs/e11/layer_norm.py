"""11.1  Layer norm.

    n = (x - mean) / sqrt(var + eps)        mean and var over the last axis, one vector at a time
    y = n · weight + bias                   (..., D), (D,), (D,) -> (..., D)

On the way back each x has three ways to reach y: by itself, through the mean, and through the var. With h = g ·
weight = dL/dn and r = 1 / sqrt(var + eps):

    dL/dx = r · (h - the part of h that the mean takes away - the part of h that the deviation takes away)

Moving all of x together changes nothing: so dL/dx has no part along ones. Nor does stretching x, where eps is 0: then
it has none along n either. With eps a little of it stays, and the same formula says how much.
`vjp` returns the gradients of x, weight and bias. The last two are shared by all vectors: what is shared is summed.
(Some norms have no weight or no bias; the first two lines see to that.)
"""

import numpy as np
from tinygrad_llm.course import Todo


def layer_norm(x, weight, bias, eps=1e-5):
    weight = np.ones(x.shape[-1:], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1:], x.dtype) if bias is None else bias
    raise Todo("n and r, then y")

    def vjp(g, needs):
        raise Todo("(dL/dx, dL/dweight, dL/dbias)")

    return y, vjp
