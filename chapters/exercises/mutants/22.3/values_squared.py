# expect: of a diagonal the largest stay
# means: The singular values are squared.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left[:, :r] * values[:r] ** 2) @ right[:r]
