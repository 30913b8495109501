# expect: of a diagonal the largest stay
# means: The first columns of `right` were taken, or the rows of its transpose: its directions are its rows.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    k = min(r, len(values))
    return (left[:, :k] * values[:k]) @ right.T[:k]
