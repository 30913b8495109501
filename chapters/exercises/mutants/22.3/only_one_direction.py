# expect: of a diagonal the largest stay
# means: Only the direction number r was kept, and not all up to it.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    if not 0 < r <= len(values):
        return matrix if r else 0 * matrix
    return values[r - 1] * np.outer(left[:, r - 1], right[r - 1])
