# expect: rows are counted through all requests
# means: Rows were counted anew for each request.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (-1, n)), np.reshape(allowed, (-1, n))
    best = np.where(allowed, rewards, -np.inf).argmax(1)
    return np.where(allowed.any(1), best, -1)
