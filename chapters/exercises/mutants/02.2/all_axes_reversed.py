# expect: a batch of products
# means: `.T` turns all axes around, those of the batch too: only the last two may be exchanged.
import numpy as np


def matmul(a, b):
    return np.matmul(a, b), lambda g, needs: (np.matmul(g, b.T), np.matmul(a.T, g))
