# expect: scipys number
# means: The judge's probabilities are made into verdicts first, and what it left open is lost.
import numpy as np


def controlled(y, z, rounds):
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    y = (y > 0.5).astype(float)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
