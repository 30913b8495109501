# expect: a wrong label is reckoned with
# means: smoothing is not used.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = np.logaddexp(0, -h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = -beta * (1 - above)
    return costs.mean(), slope / len(h)
