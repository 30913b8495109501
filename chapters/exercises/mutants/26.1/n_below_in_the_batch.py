# expect: the scale of the batch is one for all
# means: The standard deviation of all rewards has N below it, and not N - 1.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / (groups.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (groups.std() + eps)
    return centred.reshape(-1)
