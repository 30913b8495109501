# expect: a tensor stays one
# means: A function of NumPy's own made an array of the Tensor: use its methods reshape and transpose.
import numpy as np


def cut(pictures, patch):
    batch, channels, height, width = pictures.shape
    rows, columns = height // patch, width // patch
    x = np.reshape(np.asarray(pictures), (batch, channels, rows, patch, columns, patch))
    return np.transpose(x, (0, 2, 4, 1, 3, 5)).reshape(batch, rows * columns, channels * patch * patch)
