# expect: each group has a mean of its own
# means: Means go over the questions, down the columns, and not over the answers to one question.
import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    centred = groups - groups.mean(axis=0, keepdims=True)
    if scale == "group":
        centred = centred / (groups.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.reshape(-1)
