# expect: places are those of the whole array
# means: Rows and columns are exchanged: answers to one question stand side by side.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(n, -1).T
    first, differ = np.arange(len(groups)), groups.max(axis=1) > groups.min(axis=1)
    best, worst = (len(groups) * places + first for places in (groups.argmax(axis=1), groups.argmin(axis=1)))
    return best[differ], worst[differ]
