# expect: squares and not strips
# means: The window moves on by one pixel: patches overlap, and there are more of them.
import numpy as np


def cut(pictures, patch):
    batch, _, height, width = pictures.shape
    rows, columns = height - patch + 1, width - patch + 1
    found = [
        pictures[:, :, r : r + patch, c : c + patch].reshape(batch, -1) for r in range(rows) for c in range(columns)
    ]
    return np.stack(found, 1)
