# expect: the largest is so without its sign
# means: The scale has the sign of the largest weight, and turns the whole block over.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(-1, block)
    scales = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], 1)[:, 0]
    scaled = blocks / np.where(scales != 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
