# expect: rank zero leaves nothing
# means: The sum begins with the number 0, and stays a number where nothing is added: begin with zeros (O, I).
import numpy as np


def best_rank(matrix, r):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    total = 0
    for i in range(min(r, len(values))):
        total = total + values[i] * np.outer(left[:, i], right[i])
    return total
