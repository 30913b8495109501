# expect: no round leaves
# means: There is one round too many.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds + 1):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
