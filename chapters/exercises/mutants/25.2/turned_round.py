# expect: the chosen ahead costs less
# means: The difference is turned round: the rejected answer is pulled up.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (rejected - chosen)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = beta * (smoothing * above - (1 - smoothing) * (1 - above))
    return costs.mean(), slope / len(h)
