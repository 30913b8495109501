# expect: of equals the first is taken
# means: Of equals the last is taken.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    first = n * np.arange(len(groups))
    differ = groups.max(axis=1) > groups.min(axis=1)
    best, worst = (n - 1 - g[:, ::-1].argmax(axis=1) for g in (groups, -groups))
    return (first + best)[differ], (first + worst)[differ]
