# expect: of equals the first
# means: Of equally good answers the last one was taken.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (-1, n)), np.reshape(allowed, (-1, n))
    worth = np.where(allowed, rewards, -np.inf)
    best = n - 1 - worth[:, ::-1].argmax(1) + n * np.arange(len(rewards))
    return np.where(allowed.any(1), best, -1)
