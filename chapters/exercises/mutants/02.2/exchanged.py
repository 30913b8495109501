# expect: the gradient of the left factor
# means: The two gradients are exchanged: that of b stands where that of a should.
import numpy as np


def matmul(a, b):
    def vjp(g, needs):
        return np.matmul(a.swapaxes(-1, -2), g), np.matmul(g, b.swapaxes(-1, -2))

    return np.matmul(a, b), vjp
