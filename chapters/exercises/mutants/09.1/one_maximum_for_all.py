# expect: each row has a maximum of its own
# means: The maximum of the whole array was taken off: each row needs its own.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max())
    y = y / y.sum(axis, keepdims=True)

    def vjp(g, needs):
        return y * (g - (g * y).sum(axis, keepdims=True))

    return y, vjp
