# expect: equal rewards change nothing
# means: All goes to the best answer, as if a nat cost nothing.
import numpy as np


def best_policy(reference, rewards, beta):
    reference, rewards = (np.asarray(each, dtype=float) for each in (reference, rewards))
    return (np.arange(len(rewards)) == rewards.argmax()) * 1.0
