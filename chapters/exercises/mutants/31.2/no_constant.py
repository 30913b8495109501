# expect: nothing is longer
# means: There is no c: a system that is better at equal length cannot show it.
import numpy as np


def controlled(y, z, rounds):
    x, b = z[:, None], np.zeros(1)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
