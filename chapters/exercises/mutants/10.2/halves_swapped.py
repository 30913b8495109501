# expect: a quarter turn
# means: The two halves of the result are swapped.
import numpy as np


def rope(x, cos=None, sin=None):
    def turn(x, sin):
        half = x.shape[-1] // 2
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([second * cos + first * sin, first * cos - second * sin], -1)

    cos, sin = cos.astype(x.dtype), sin.astype(x.dtype)

    def vjp(g, needs):
        return turn(g, -sin)

    return turn(x, sin), vjp
