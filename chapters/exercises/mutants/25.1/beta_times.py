# expect: a smaller beta goes further
# means: The reward is multiplied by beta, and not divided.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = reference * np.exp((rewards - rewards.max()) * beta)
    return raised / raised.sum()
