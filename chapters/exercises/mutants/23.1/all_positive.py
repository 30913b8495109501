# expect: the largest is so without its sign
# means: The weights have lost their signs: only for the scale they do not count.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scaled = np.abs(blocks) / np.where(scales > 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
