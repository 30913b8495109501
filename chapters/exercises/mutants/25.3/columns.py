# expect: places are those of the whole array
# means: Rows and columns are exchanged: answers to one question stand side by side.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    groups = groups.reshape(n, -1).T
    first = n * np.arange(len(groups))
    differ = groups.max(axis=1) > groups.min(axis=1)
    return (groups.argmax(axis=1) * len(groups) + np.arange(len(groups)))[differ], (groups.argmin(axis=1) * len(groups) + np.arange(len(groups)))[differ]
