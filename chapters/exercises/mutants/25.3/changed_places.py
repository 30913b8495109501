# expect: the best and the worst of one question
# means: The worst comes first.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    first = n * np.arange(len(groups))
    differ = groups.max(axis=1) > groups.min(axis=1)
    return (first + groups.argmin(axis=1))[differ], (first + groups.argmax(axis=1))[differ]
