# expect: places are those of the whole array
# means: The places are those within each question's row.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    differ = groups.max(axis=1) > groups.min(axis=1)
    return groups.argmax(axis=1)[differ], groups.argmin(axis=1)[differ]
