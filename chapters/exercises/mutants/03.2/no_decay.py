# expect: the decay is beside the step
# means: The decay is missing: the weights do not move by lr · decay · w.
import numpy as np


def adamw_step(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    step = (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return w - lr * step, m, v
