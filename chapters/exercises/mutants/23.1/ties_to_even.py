# expect: a number halfway gets the smaller value
# means: The scaled numbers are rounded on an even grid, halves to the even code.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    step = 2 / (len(values) - 1)
    return np.rint((scaled + 1) / step).astype(int).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
