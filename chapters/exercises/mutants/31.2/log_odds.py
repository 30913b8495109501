# expect: nothing is longer
# means: This is c, the log odds. The rate is s(c).
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(b[0])
