# expect: far apart
# means: e to the minus difference overflows, where the rejected answer has much more.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.log(1 + np.exp(-difference)).mean()
    gradient = -np.exp(-np.logaddexp(0, difference)) / len(difference)
    return loss, gradient
