# expect: a smaller beta goes further
# means: beta is not used.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = reference * np.exp(rewards - rewards.max())
    return raised / raised.sum()
