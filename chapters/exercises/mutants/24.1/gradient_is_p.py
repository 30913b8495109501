# expect: two pairs by hand
# means: The slope of -ln p is p - 1, and not -p: a pair that is decided would be pushed hardest.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, -difference).mean()
    gradient = -np.exp(-np.logaddexp(0, -difference)) / len(difference)
    return loss, gradient
