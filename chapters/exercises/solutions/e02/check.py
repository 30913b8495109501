"""02.3  A check that can fail.

`operation(x)` returns (y, vjp) for one float64 array x. Write two functions:

    differences(operation, x, c)   for every entry of x, ( <c, y(x + h)> - <c, y(x - h)> ) / 2h, in the shape of x.
                                   <c, y> is the sum of c times y. x itself must not be changed.
    is_right(operation, x, c)      whether vjp(c, (True,)) agrees with that, to 10⁻⁵ of its size
                                   (or of 1 where it is smaller).
"""

import numpy as np

H = 1e-5


def differences(operation, x, c):
    # >>> move one entry at a time, both ways
    slopes = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ends = []
        for step in (H, -H):
            moved = x.copy()
            moved[index] += step
            ends.append((operation(moved)[0] * c).sum())
        slopes[index] = (ends[0] - ends[1]) / (2 * H)
    return slopes
    # <<<


def is_right(operation, x, c):
    # >>> True or False, for every entry at once
    tried = differences(operation, x, c)
    found = operation(x)[1](c, (True,))
    return bool((np.abs(found - tried) <= 1e-5 * np.maximum(1.0, np.abs(tried))).all())
    # <<<
