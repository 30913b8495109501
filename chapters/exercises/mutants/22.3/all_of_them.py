# expect: of a diagonal the largest stay
# means: All values are kept: it is the matrix itself.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left * values) @ right
