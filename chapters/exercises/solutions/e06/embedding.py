"""06.1  Looking up.

    embedding(weight, ids)        weight (V, D), ids of any shape (...), whole numbers
                                  ->  y (..., D): row ids[...] of weight

You return y and its vjp. That gets g, of y's shape, and returns a pair: dL/dweight, of weight's shape, and None,
since there is no turning a whole number a little. Looking up is a product with one-hot rows. What does that say of a
row that was looked up twice, and of one that was not looked up?
"""

import numpy as np


def embedding(weight, ids):
    # >>> the rows
    y = weight[ids]
    # <<<

    def vjp(g, needs):
        # >>> (dL/dweight, None)
        dweight = np.zeros_like(weight)
        np.add.at(dweight, ids, g)
        return dweight, None
        # <<<

    return y, vjp
