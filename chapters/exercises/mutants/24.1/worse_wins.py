# expect: two pairs by hand
# means: The difference is taken the other way round: the rejected answer is made the better one.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, difference).mean()
    gradient = -np.exp(-np.logaddexp(0, -difference)) / len(difference)
    return loss, gradient
