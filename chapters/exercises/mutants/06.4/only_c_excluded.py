# expect: nor is b
import numpy as np


def analogy(vectors, a, b, c):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = np.inf
    unit = vectors / lengths
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    likeness[c] = -np.inf
    return int(likeness.argmax())
