# expect: the second round
# means: H lacks p (1 - p): a verdict that is nearly sure counts as much as an open one.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T @ x) / 4, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
