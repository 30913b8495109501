# expect: of a diagonal the largest stay
# means: One value too few is kept.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    r = max(0, r - 1)
    return (left[:, :r] * values[:r]) @ right[:r]
