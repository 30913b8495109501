"""10.2  RoPE's turn.

The first half of each vector and its second half make pairs: (x_i, x_(i + K/2)), i = 0 .. K/2 - 1. Each pair is a
point in the plane. Turn it by an angle whose cosine and sine you are given, counter-clockwise, as everybody turns:

    rope(x, cos, sin)        (..., T, K), (T, K/2), (T, K/2) -> (..., T, K)

Where does the point (1, 0) go, and where (0, 1)? And to undo a turn by an angle, by which angle do you turn?
You return the value and its vjp, which gives dL/dx alone: cos and sin are not learned.
Source: Su et al., "RoFormer", 2021; the pairing by halves is that of Llama.
"""

import numpy as np


def rope(x, cos=None, sin=None):
    def turn(x, sin):
        # >>> x turned, (..., T, K)
        half = x.shape[-1] // 2
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)
        # <<<

    cos, sin = cos.astype(x.dtype), sin.astype(x.dtype)

    def vjp(g, needs):
        # >>> dL/dx
        return turn(g, -sin)
        # <<<

    return turn(x, sin), vjp
