# expect: the reference counts
# means: Reward and reference are added in the power without a logarithm.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = np.exp((rewards - rewards.max()) / beta + reference)
    return raised / raised.sum()
