"""03.3  Clipping.

The gradient of a model is a list of arrays. Its norm is that of all entries together, as if they were one long vector:
the square root of the sum of all squares. If it is longer than `max_norm`, shorten all arrays by one factor,

    max_norm / (norm + 1e-6)

so that the direction stays. If it is shorter, leave it as it is. Return the list of new arrays and the norm before.
"""

import math
from tinygrad_llm.course import Todo


def clip(gradients, max_norm):
    raise Todo("(list of arrays, norm before)")
