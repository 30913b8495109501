# expect: the best of those that are allowed
# means: The first that is allowed was taken, and nothing was ranked.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (-1, n)), np.reshape(allowed, (-1, n))
    best = allowed.argmax(1) + n * np.arange(len(rewards))
    return np.where(allowed.any(1), best, -1)
