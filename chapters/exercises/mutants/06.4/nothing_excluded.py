# expect: c itself is no answer
# means: The three words asked about were not excluded.
import numpy as np


def analogy(vectors, a, b, c):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = np.inf
    unit = vectors / lengths
    return int((unit @ (unit[b] - unit[a] + unit[c])).argmax())
