# expect: the scale is the groups own
# means: It is divided by the variance of the group: the root is missing.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / (groups.var(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.reshape(-1)
