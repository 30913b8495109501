"""22.3  The nearest matrix of rank r.

    best_rank(matrix, r)    (O, I) -> (O, I)

Of all matrices of rank r, which is nearest to a given one, with the smallest sum of squared differences? Eckart and
Young's answer (1936): its singular value decomposition, cut off. With

    left, values, right = np.linalg.svd(matrix, full_matrices=False)

the matrix is left (O, m) times the diagonal of values (m,) times right (m, I), with m the smaller of O and I, and the
values in falling order. The first r of them stay, each with its column of `left` and its row of `right`.

`r` may be 0, then nothing is left, or larger than m, then all is.
"""

import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    # >>> (O, I)
    return (left[:, :r] * values[:r]) @ right[:r]
    # <<<
