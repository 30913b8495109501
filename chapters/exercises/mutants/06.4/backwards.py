# expect: man is to woman as king is to queen
# means: The step was taken from b to a, and not from a to b.
import numpy as np


def analogy(vectors, a, b, c):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = np.inf
    unit = vectors / lengths
    likeness = unit @ (unit[a] - unit[b] + unit[c])
    likeness[[a, b, c]] = -np.inf
    return int(likeness.argmax())
