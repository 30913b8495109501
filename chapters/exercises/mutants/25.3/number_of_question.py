# expect: places are those of the whole array
# means: The number of the question is added, and not the place where its answers begin.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    first = np.arange(len(groups))
    differ = groups.max(axis=1) > groups.min(axis=1)
    return (first + groups.argmax(axis=1))[differ], (first + groups.argmin(axis=1))[differ]
