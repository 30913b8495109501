# expect: not what one step may do
# means: This is how much one step can stretch a vector, and not what is left in the long run.
import math

import numpy as np


def radius(w):
    return float(np.linalg.norm(w, 2))


def reach(w, share):
    factor = radius(w)
    if factor >= 1:
        return math.inf
    steps = 1
    while factor**steps > share:
        steps += 1
    return steps
