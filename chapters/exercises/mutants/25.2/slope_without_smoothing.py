# expect: a wrong label is reckoned with
# means: The derivative does not know of smoothing.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = -beta * (1 - above)
    return costs.mean(), slope / len(h)
