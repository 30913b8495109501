"""06.4  The analogy.

    analogy(vectors, a, b, c) -> d        a is to b as c is to d; all four are row numbers of vectors, shape (V, D)

Make all rows 1 long. Of b - a + c, find the row with the largest cosine, and exclude the three words of the question.
A row of zeros has no direction: its cosine is 0, not nan.
"""

import numpy as np


def analogy(vectors, a, b, c):
    # >>> a row number
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = np.inf
    unit = vectors / lengths
    likeness = unit @ (unit[b] - unit[a] + unit[c])
    likeness[[a, b, c]] = -np.inf
    return int(likeness.argmax())
    # <<<
