# expect: a block is divided by its largest
# means: The scale is half of what lies between the smallest and the largest; asked for is the largest of |w|.
import numpy as np


def quantize(w, values, block):
    blocks = w.reshape(-1, block)
    scales = (blocks.max(axis=1) - blocks.min(axis=1)) / 2
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    return np.searchsorted((values[1:] + values[:-1]) / 2, scaled).ravel(), scales


def dequantize(codes, scales, values, block):
    return (values[codes].reshape(-1, block) * scales[:, None]).ravel()
