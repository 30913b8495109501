# expect: far apart does not overflow
# means: The sigmoid is e^h / (1 + e^h): where h is large, infinity is divided by infinity.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(h) / (1 + np.exp(h))
    slope = beta * (smoothing * above - (1 - smoothing) * (1 - above))
    return costs.mean(), slope / len(h)
