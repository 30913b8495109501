# expect: nor is b
# means: Only c was excluded: a and b were not.
import numpy as np


def analogy(vectors, a, b, c):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = np.inf
    unit = vectors / lengths
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    likeness[c] = -np.inf
    return int(likeness.argmax())
