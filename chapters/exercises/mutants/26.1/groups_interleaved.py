# expect: each group has a mean of its own
# means: Groups are taken as if every second answer belonged together; they stand side by side.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(group_size, -1).T
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / (groups.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.T.reshape(-1)
