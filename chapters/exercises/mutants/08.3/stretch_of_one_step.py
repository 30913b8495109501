# expect: not what one step may do
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
