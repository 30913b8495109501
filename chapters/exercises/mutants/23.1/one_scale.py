# expect: each block has a scale of its own
# means: One scale serves all: a block of small weights falls on 0.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.full(len(blocks), np.abs(blocks).max())
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
