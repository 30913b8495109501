# expect: a long one keeps its direction
# means: Each entry was cut by itself, which changes the direction.
import numpy as np


def clip(gradients, max_norm):
    norm = float(np.sqrt(sum((g * g).sum() for g in gradients)))
    return [g if norm <= max_norm else np.clip(g, -max_norm, max_norm) for g in gradients], norm
