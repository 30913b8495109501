# expect: a large h raises no warning
# means: The sigmoid is taken as it stands: where h is far below 0, e^-h overflows. What comes out is right, by luck.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = 1 / (1 + np.exp(-h))
    slope = beta * (smoothing * above - (1 - smoothing) * (1 - above))
    return costs.mean(), slope / len(h)
