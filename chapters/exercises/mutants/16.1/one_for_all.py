# expect: each order has its own first
# means: The least of all orders together was returned for each of them.
import numpy as np


def signature(hashes, a, b):
    return np.full(len(a), (hashes[:, None] * a + b).min(), np.uint32)
