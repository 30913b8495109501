# expect: equal length and not the raw
# means: The rate is taken where the first is longer by the mean of z. At equal length z is 0.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0] - b[1] * z.mean())))
