# expect: a scale of its own
# means: A block is made of neighbours; here every so many-th weight is in it.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(block, -1).T
    scales = np.abs(blocks).max(axis=1)
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).T.ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
