# expect: of a diagonal the largest stay
# means: The first rows of `left` were taken, where its columns are the directions.
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left[:r].T * values[:r]) @ right[:r]
