# expect: minus one where none is allowed
# means: The n answers to a request stand side by side; here every B/n-th was taken.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (n, -1)).T, np.reshape(allowed, (n, -1)).T
    best = np.where(allowed, rewards, -np.inf).argmax(1) + n * np.arange(len(rewards))
    return np.where(allowed.any(1), best, -1)
