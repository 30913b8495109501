# expect: one round counted by hand
# means: The step goes away from the maximum: g is y - p, not p - y.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (p - y))
    return float(1 / (1 + np.exp(-b[0])))
