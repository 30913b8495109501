# expect: of a diagonal the largest stay
# means: The directions are there, without their singular values.
import numpy as np


def best_rank(matrix, r):
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left[:, :r] @ right[:r]
