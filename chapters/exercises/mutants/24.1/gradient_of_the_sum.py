# expect: two pairs by hand
# means: The gradient is that of the sum, and the loss the mean.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, -difference).mean()
    gradient = -np.exp(-np.logaddexp(0, difference))
    return loss, gradient
