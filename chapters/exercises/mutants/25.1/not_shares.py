# expect: equal rewards change nothing
# means: The weights come back as they are: they are not made to add up to 1.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    return reference * np.exp(rewards / beta)
