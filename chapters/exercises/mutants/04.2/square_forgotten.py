# expect: the gradient
# means: The slope has 1 - t where 1 - t² belongs.
import numpy as np

A, C = 0.7978845608028654, 0.044715


def gelu(x, approximate="tanh"):
    s = x * x
    t = np.tanh(A * x + A * C * s * x)
    y = 0.5 * x * (1 + t)
    slope = 0.5 * (1 + t) + 0.5 * x * (1 - t) * (A + 3 * A * C * s)
    return y, lambda g, needs: g * slope
