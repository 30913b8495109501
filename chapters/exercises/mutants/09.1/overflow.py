# expect: exp(710) is already inf in float64
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x)
    y = y / y.sum(axis, keepdims=True)
    return y, lambda g, needs: y * (g - (g * y).sum(axis, keepdims=True))
