"""02.2  The matrix product.

    a @ b        (..., N, I) @ (..., I, O) -> (..., N, O)

Both may have axes in front (a batch), or one of them may lack these: then NumPy repeats it. You return the value and
its vjp, which gives the gradients of a and of b in one tuple. It need not undo the repetition: that is done for all
operations elsewhere.
"""

import numpy as np
from tinygrad_llm.course import Todo


def matmul(a, b):
    raise Todo("the product of the last two axes")

    def vjp(g, needs):
        raise Todo("(dL/da, dL/db); only one way of transposing has the right shapes")

    return y, vjp
