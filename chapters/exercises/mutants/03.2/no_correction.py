# expect: the first step is the rate whatever the gradient
# means: The averages are not corrected for their beginning at 0.
import numpy as np


def adamw_step(w, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return w - lr * m / (np.sqrt(v) + eps) - lr * decay * w, m, v
