# expect: two pairs by hand
# means: The gradient has the wrong sign: the loss falls where a chosen answer's reward grows.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, -difference).mean()
    gradient = np.exp(-np.logaddexp(0, difference)) / len(difference)
    return loss, gradient
