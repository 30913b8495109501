# expect: beta scales the difference and the derivative
# means: beta is not used at all.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = chosen - rejected
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = smoothing * above - (1 - smoothing) * (1 - above)
    return costs.mean(), slope / len(h)
