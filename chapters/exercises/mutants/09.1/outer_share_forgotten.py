# expect: the gradient by hand
# means: The factor y in front is missing: dx is y times the difference, and here it is the difference alone.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum(axis, keepdims=True)
    return y, lambda g, needs: g - (g * y).sum(axis, keepdims=True)
