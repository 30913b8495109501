# expect: a short gradient stays
# means: Each array was given a norm of its own: there is one, that of all arrays together.
import numpy as np


def clip(gradients, max_norm):
    norms = [float(np.linalg.norm(g)) for g in gradients]
    return [g * min(1.0, max_norm / (n + 1e-6)) for g, n in zip(gradients, norms)], max(norms)
