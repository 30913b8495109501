# expect: eps is added to the deviation
# means: eps is the least that is divided by, and not added.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / np.maximum(groups.std(axis=1, ddof=1, keepdims=True), eps)
    elif scale == "batch":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.reshape(-1)
