# expect: the gradient follows differences
# means: The sum of g · y runs over the whole array: each row needs its own.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum(axis, keepdims=True)

    def vjp(g, needs):
        return y * (g - (g * y).sum())

    return y, vjp
