# expect: two pairs by hand
# means: It is 1 - p, and not -ln p.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = (1 - 1 / (1 + np.exp(np.minimum(-difference, 700)))).mean()
    gradient = -np.exp(-np.logaddexp(0, difference)) / len(difference)
    return loss, gradient
