# expect: the gradient by hand
# means: Only the diagonal of the slope was used, y (1 - y): each score also moves all the other shares.
import numpy as np


def softmax(x, axis=-1):
    y = np.exp(x - x.max(axis, keepdims=True))
    y = y / y.sum(axis, keepdims=True)
    return y, lambda g, needs: y * (1 - y) * g
