# expect: a block of zeros stays zero
# means: The scale of a block of zeros is 0; the 1 is only there to divide by.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scales = np.where(scales > 0, scales, 1)
    scaled = blocks / scales[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
