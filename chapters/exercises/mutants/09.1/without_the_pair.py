# expect: a pair (y, vjp)
# means: Only y was returned, without vjp.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    return y / y.sum(axis, keepdims=True)
