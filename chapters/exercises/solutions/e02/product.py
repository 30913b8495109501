"""02.2  The matrix product.

    a @ b        (..., N, I) @ (..., I, O) -> (..., N, O)

Both may have axes in front (a batch), or one of them may lack these: then NumPy repeats it. You return the value and
its vjp, which gives the gradients of a and of b in one tuple. It need not undo the repetition: that is done for all
operations elsewhere.
"""

import numpy as np


def matmul(a, b):
    # >>> the product of the last two axes
    y = np.matmul(a, b)
    # <<<

    def vjp(g, needs):
        # >>> (dL/da, dL/db); only one way of transposing has the right shapes
        return np.matmul(g, b.swapaxes(-1, -2)), np.matmul(a.swapaxes(-1, -2), g)
        # <<<

    return y, vjp
