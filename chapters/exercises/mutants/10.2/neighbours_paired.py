# expect: pairs are made of the two halves
# means: Neighbours were paired, and not the two halves.
import numpy as np


def rope(x, cos=None, sin=None):
    def turn(x, sin):
        first, second = x[..., 0::2], x[..., 1::2]
        return np.stack([first * cos - second * sin, second * cos + first * sin], -1).reshape(x.shape)

    cos, sin = cos.astype(x.dtype), sin.astype(x.dtype)

    def vjp(g, needs):
        return turn(g, -sin)

    return turn(x, sin), vjp
