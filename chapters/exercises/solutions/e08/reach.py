"""08.3  How far back does a gradient reach?

Leave the bends out: then every step multiplies the gradient by the same matrix W (F, F), and n steps by W^n. Write

    radius(w)          the factor by which a gradient changes in a step, in the long run: the size of the largest
                       eigenvalue of W. Eigenvalues may be complex; the size of a + ib is sqrt(a² + b²).
    reach(w, share)    the smallest whole number of steps n with radius^n <= share; share is below 1. Where the
                       gradient never shrinks that far, math.inf.

np.linalg.eigvals(w) gives the eigenvalues.
"""

import math

import numpy as np


def radius(w):
    # >>> one number
    return float(np.abs(np.linalg.eigvals(w)).max())
    # <<<


def reach(w, share):
    # >>> a whole number, or math.inf
    factor = radius(w)
    if factor >= 1:
        return math.inf
    steps = 1
    while factor**steps > share:
        steps += 1
    return steps
    # <<<
