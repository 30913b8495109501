# expect: values need not be evenly spaced
# means: The codes are counted on an even grid; the values have places of their own.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    step = 2 / (len(values) - 1)
    return np.ceil((scaled + 1) / step - 0.5).astype(int).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
