# expect: float64
# means: A NumPy number, as np.sqrt(2 / np.pi) is one, made float64 of float32. A Python number does not.
import numpy as np

A, C = np.sqrt(2 / np.pi), 0.044715


def gelu(x, approximate="tanh"):
    s = x * x
    t = np.tanh((A * C) * s * x + A * x)
    y = 0.5 * x * (1 + t)
    slope = 0.5 * (1 + t) + y * (1 - t) * (A + 3 * A * C * s)
    return y, lambda g, needs: g * slope
