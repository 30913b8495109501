# expect: far apart does not overflow
# means: e^h is taken as it stands, and overflows.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    with np.errstate(all="ignore"):
        costs = (1 - smoothing) * np.log(1 + np.exp(-h)) + smoothing * np.log(1 + np.exp(h))
    above = np.exp(-np.logaddexp(0, -h))
    slope = beta * (smoothing * above - (1 - smoothing) * (1 - above))
    return costs.mean(), slope / len(h)
