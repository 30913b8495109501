# expect: the reference counts
# means: It is divided by the reference, and not multiplied: what was likely becomes unlikely.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    raised = np.exp((rewards - rewards.max()) / beta) / np.maximum(reference, 1e-12)
    return raised / raised.sum()
