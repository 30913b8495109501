# expect: two are left
# means: The way back still holds more than y and the slope: the whole formula waits in vjp.
import numpy as np

A, C = 0.7978845608028654, 0.044715


def gelu(x, approximate="tanh"):
    t = np.tanh(A * (x + C * x * x * x))
    inner = A * (1 + 3 * C * x * x)
    y = 0.5 * x * (1 + t)
    return y, lambda g, needs: g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)
