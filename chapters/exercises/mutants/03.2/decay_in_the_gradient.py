# expect: what it remembers
# means: The decay was added to the gradient, so that m and v hold it too: that is Adam with L2, without the W.
import numpy as np


def adamw_step(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):
    g = g + decay * w
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v
