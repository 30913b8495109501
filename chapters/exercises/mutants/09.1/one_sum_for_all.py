# expect: each row has a maximum of its own
# means: It was divided by the sum of the whole array: each row needs its own.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum()

    def vjp(g, needs):
        return y * (g - (g * y).sum(axis, keepdims=True))

    return y, vjp
