# expect: the reference counts
# means: The reference is left out: all answers begin alike.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = np.exp((rewards - rewards.max()) / beta)
    return raised / raised.sum()
