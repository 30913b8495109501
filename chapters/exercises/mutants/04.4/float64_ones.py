# expect: float32 stays float32
# means: np.eye is float64 and makes the product so.
import numpy as np


def sum_rows_by_id(g, ids, rows, need=True):
    return np.eye(rows)[ids].T @ g
