# expect: of a diagonal the largest stay
# means: One value too many is kept.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left[:, : r + 1] * values[: r + 1]) @ right[: r + 1]
