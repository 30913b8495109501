# expect: of a diagonal the largest stay
# means: `right` is transposed once more: NumPy gives it with its directions as rows already.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    k = min(r, len(values))
    return (left[:, :k] * values[:k]) @ right.T[:k]
