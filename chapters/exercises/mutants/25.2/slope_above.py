# expect: the chosen ahead costs less
# means: The derivative has s(h) where s(-h) belongs: it pulls hardest where all is well.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    costs = (1 - smoothing) * np.logaddexp(0, -h) + smoothing * np.logaddexp(0, h)
    above = np.exp(-np.logaddexp(0, -h))
    slope = beta * (smoothing * (1 - above) - (1 - smoothing) * above)
    return costs.mean(), slope / len(h)
