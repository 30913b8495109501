# expect: a short gradient stays
# means: The factor is above 1 for a short gradient, and lengthens it.
import numpy as np


def clip(gradients, max_norm):
    norm = float(np.sqrt(sum((g * g).sum() for g in gradients)))
    return [g * max_norm / (norm + 1e-6) for g in gradients], norm
