# expect: before any step it is ln 2
# means: smoothing and 1 - smoothing have changed places.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = smoothing * np.logaddexp(0, -h) + (1 - smoothing) * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = beta * ((1 - smoothing) * above - smoothing * (1 - above))
    return costs.mean(), slope / len(h)
