"""02.3  A check that can fail.

`operation(x)` returns (y, vjp) for one float64 array x. Write two functions:

    differences(operation, x, c)   for every entry of x, ( <c, y(x + h)> - <c, y(x - h)> ) / 2h, in the shape of x.
                                   <c, y> is the sum of c times y. x itself must not be changed.
    is_right(operation, x, c)      whether vjp(c, (True,)) agrees with that, to 10⁻⁵ of its size
                                   (or of 1 where it is smaller).
"""

import numpy as np
from tinygrad_llm.course import Todo

H = 1e-5


def differences(operation, x, c):
    raise Todo("move one entry at a time, both ways")


def is_right(operation, x, c):
    raise Todo("True or False, for every entry at once")
