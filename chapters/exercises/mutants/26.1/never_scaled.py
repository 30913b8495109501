# expect: the scale is the groups own
# means: No scale is applied, whatever is asked for.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "never":
        centred = centred / (groups.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "no":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.reshape(-1)
