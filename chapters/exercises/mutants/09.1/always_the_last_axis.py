# expect: it runs along the axis it is given
# means: It always runs along the last axis, whatever `axis` says.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(-1, keepdims=True))
    y = y / y.sum(-1, keepdims=True)
    return y, lambda g, needs: y * (g - (g * y).sum(-1, keepdims=True))
