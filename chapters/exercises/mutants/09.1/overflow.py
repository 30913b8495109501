# expect: big scores do not overflow
# means: exp was taken of the scores themselves: from about 710 on it is infinite in float64.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x)
    y = y / y.sum(axis, keepdims=True)
    return y, lambda g, needs: y * (g - (g * y).sum(axis, keepdims=True))
