# expect: the best and the worst of one question
# means: The rewards come back, and not their places.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    differ = groups.max(axis=1) > groups.min(axis=1)
    return groups.max(axis=1)[differ], groups.min(axis=1)[differ]
