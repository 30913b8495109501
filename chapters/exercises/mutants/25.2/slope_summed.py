# expect: before any step it is ln 2
# means: The derivative is that of the sum, while the cost is a mean.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = beta * (smoothing * above - (1 - smoothing) * (1 - above))
    return costs.mean(), slope
