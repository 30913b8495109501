# expect: large rewards do not overflow
# means: The powers are taken of the rewards as they are: e^1000 is infinite.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = reference * np.exp(rewards / beta)
    return raised / raised.sum()
