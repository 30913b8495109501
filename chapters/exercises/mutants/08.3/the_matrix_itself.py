# expect: a little less than an eighth
# means: The number of steps was rounded to the nearest, and not up.
import math

import numpy as np


def radius(w):
    return float(np.abs(np.linalg.eigvals(w)).max())


def reach(w, share):
    factor = radius(w)
    if factor >= 1:
        return math.inf
    return max(1, round(math.log(share) / math.log(factor))) if factor else 1
