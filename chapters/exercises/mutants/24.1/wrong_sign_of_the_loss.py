# expect: two pairs by hand
# means: `np.logaddexp(0, d)` is -ln(1 - p): the loss is that of the rejected answer's being preferred.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.logaddexp(0, difference).mean()
    gradient = -np.exp(-np.logaddexp(0, difference)) / len(difference)
    return loss, gradient
