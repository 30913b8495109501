# expect: a row of zeros has no direction
# means: A row of zeros was divided by its length 0, and argmax takes nan for the largest.
import numpy as np


def analogy(vectors, a, b, c):
    with np.errstate(invalid="ignore"):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    likeness[[a, b, c]] = -np.inf
    return int(likeness.argmax())
