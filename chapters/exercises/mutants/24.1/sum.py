# expect: two pairs by hand
# means: The loss is the sum over the pairs, and not their mean.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, -difference).sum()
    gradient = -np.exp(-np.logaddexp(0, difference)) / len(difference)
    return loss, gradient
