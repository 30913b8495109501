# expect: rewards may be below nothing
# means: A reward times 0 is the best, where all others are below 0.
import numpy as np


def best_allowed(rewards, allowed, n):
    rewards, allowed = np.reshape(rewards, (-1, n)), np.reshape(allowed, (-1, n))
    best = (rewards * allowed).argmax(1) + n * np.arange(len(rewards))
    return np.where(allowed.any(1), best, -1)
