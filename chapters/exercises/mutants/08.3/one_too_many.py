# expect: halving three times is an eighth
# means: It takes one step too many where the share is met exactly.
import math

import numpy as np


def radius(w):
    return float(np.abs(np.linalg.eigvals(w)).max())


def reach(w, share):
    factor = radius(w)
    if factor >= 1:
        return math.inf
    steps = 1
    while factor**steps >= share:
        steps += 1
    return steps
