# expect: two pairs by hand
# means: One number comes back for the gradient, and not one for each pair.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, -difference).mean()
    gradient = -np.exp(-np.logaddexp(0, difference))
    gradient = gradient.mean()
    return loss, gradient
