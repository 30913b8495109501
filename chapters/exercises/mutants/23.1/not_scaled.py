# expect: divided by its largest
# means: The weights are compared with the values before they are divided by their scale.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, blocks).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
