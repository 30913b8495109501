# expect: a turn keeps every length
# means: Only the real part of the eigenvalues was looked at.
import math

import numpy as np


def radius(w):
    return float(np.abs(np.linalg.eigvals(w).real).max())


def reach(w, share):
    factor = radius(w)
    if factor >= 1:
        return math.inf
    steps = 1
    while factor**steps > share:
        steps += 1
    return steps
