# expect: as large as a positive one
# means: The largest eigenvalue was taken before its sign was dropped: a negative one may be larger.
import math

import numpy as np


def radius(w):
    return float(abs(np.linalg.eigvals(w).max()))


def reach(w, share):
    factor = radius(w)
    if factor >= 1:
        return math.inf
    steps = 1
    while factor**steps > share:
        steps += 1
    return steps
