# expect: back are the values times the scale
# means: The scales take turns, weight by weight; a scale belongs to a whole block.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return values[codes] * np.tile(scales, block)
