# expect: a reward of beta ln 2 doubles the odds
# means: The sign is turned round: what is rewarded becomes less likely.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = reference * np.exp((rewards.min() - rewards) / beta)
    return raised / raised.sum()
