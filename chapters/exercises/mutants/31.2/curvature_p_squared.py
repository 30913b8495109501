# expect: one round counted by hand
# means: H has p where p (1 - p) should be.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p)) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
