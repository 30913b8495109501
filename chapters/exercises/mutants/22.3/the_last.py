# expect: of a diagonal the largest stay
# means: The last values are kept, the smallest, and not the first.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    first = max(0, len(values) - r)
    return (left[:, first:] * values[first:]) @ right[first:]
