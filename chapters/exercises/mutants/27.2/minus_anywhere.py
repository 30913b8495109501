# expect: the best of those that are allowed
# means: The request was given up where any of its answers is not allowed.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (-1, n)), np.reshape(allowed, (-1, n))
    best = np.where(allowed, rewards, -np.inf).argmax(1) + n * np.arange(len(rewards))
    return np.where(allowed.all(1), best, -1)
