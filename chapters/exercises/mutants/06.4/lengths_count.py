# expect: lengths do not count
# means: The vectors were not made equally long, so that long ones win.
import numpy as np


def analogy(vectors, a, b, c):
    likeness = vectors @ (vectors[b] - vectors[a] + vectors[c])
    likeness[[a, b, c]] = -np.inf
    return int(likeness.argmax())
