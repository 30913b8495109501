# expect: you called
# means: The sum along the axis lost its axis, so rows and columns were mixed up: keepdims keeps it.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum(axis)
    return y, lambda g, needs: y * (g - (g * y).sum(axis, keepdims=True))
