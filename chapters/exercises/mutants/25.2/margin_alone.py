# expect: before any step it is ln 2
# means: The margin itself is the cost: without the sigmoid there is no end to it.
import numpy as np


def pair_loss(chosen, rejected, beta=0.1, smoothing=0.0):
    chosen, rejected = (np.asarray(each, dtype=float) for each in (chosen, rejected))
    h = beta * (chosen - rejected)
    return -h.mean(), np.full(len(h), -beta / len(h))
