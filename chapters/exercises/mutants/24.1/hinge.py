# expect: two pairs by hand
# means: It is max(0, 1 - difference), the hinge.
import numpy as np


def preference_loss(chosen, rejected):
    difference = np.asarray(chosen, dtype=float) - np.asarray(rejected, dtype=float)
    loss = np.maximum(0, 1 - difference).mean()
    gradient = -(difference < 1) / len(difference)
    return loss, gradient
