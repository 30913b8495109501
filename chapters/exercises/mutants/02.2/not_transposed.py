# expect: it raised
# means: The factors are not transposed on the way back.
import numpy as np


def matmul(a, b):
    return np.matmul(a, b), lambda g, needs: (np.matmul(g, b), np.matmul(a, g))
