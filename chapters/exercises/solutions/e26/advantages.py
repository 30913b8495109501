"""26.1  How much better than its group an answer is.

    group_advantages(rewards, group_size, scale="group", eps=1e-4)    (B,) -> (B,)

`rewards` has a number for each answer. Answers to one question, `group_size` of them, stand side by side: with groups
of 3, the rewards 0, 1 and 2 belong to the first question, 3, 4 and 5 to the next.

An answer's advantage is its reward less the mean of its own group. What it is divided by, the scale says:

- "none": by nothing (Dr. GRPO, and the chapter);
- "group": by s + eps, with s the standard deviation of its group (GRPO, as published);
- "batch": by s + eps, with s the standard deviation of all rewards.

Standard deviations have N - 1 below them, not N. eps keeps a group whose rewards are all equal from being 0 / 0.
"""

import numpy as np


def group_advantages(rewards, group_size, scale="group", eps=1e-4):
    groups = np.asarray(rewards, dtype=float).reshape(-1, group_size)
    # >>> (B,)
    centred = groups - groups.mean(axis=1, keepdims=True)
    if scale == "group":
        centred = centred / (groups.std(axis=1, ddof=1, keepdims=True) + eps)
    elif scale == "batch":
        centred = centred / (groups.std(ddof=1) + eps)
    return centred.reshape(-1)
    # <<<
