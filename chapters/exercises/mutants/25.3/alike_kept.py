# expect: where all are alike nothing is preferred
# means: Questions whose answers are all rated alike are kept.
import numpy as np


def best_and_worst(rewards, n):
    groups = np.asarray(rewards, dtype=float).reshape(-1, n)
    first = n * np.arange(len(groups))
    return first + groups.argmax(axis=1), first + groups.argmin(axis=1)
