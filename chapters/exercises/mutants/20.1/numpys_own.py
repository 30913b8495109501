# expect: a tensor stays one
# means: A function of NumPy's own made an array of the Tensor: use its methods reshape and transpose.
import numpy as np


def join(patches, patch, height, width):
    batch, _, numbers = patches.shape
    channels = numbers // patch**2
    x = np.reshape(np.asarray(patches), (batch, height // patch, width // patch, channels, patch, patch))
    return np.transpose(x, (0, 3, 1, 4, 2, 5)).reshape(batch, channels, height, width)
