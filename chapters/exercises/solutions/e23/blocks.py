"""23.1  Blocks and back.

Sixteen numbers go from -1 to 1; weights do not. So each block of neighbours is divided by its own largest number,
whatever its sign:

    scale = max |w| of the block
    code  = which of the values is nearest to w / scale
    w     ~ scale * values[code]

    quantize(w, values, block)                -> codes, scales
    dequantize(codes, scales, values, block)  -> what the codes stand for, (N,)

    w       (N,), N a multiple of block
    values  (C,) rising numbers from -1 to 1
    codes   (N,) whole numbers;  scales  (N / block,)

A number halfway between two values gets the smaller one. In a block of zeros every weight stays 0: its scale is 0, and
nothing may be divided by it.
"""

import numpy as np


def quantize(w, values, block):
    # >>> scale each block, then find the nearest value
    blocks = w.reshape(len(w) // block, block)
    scales = np.abs(blocks).max(axis=1)
    scaled = blocks / np.where(scales > 0, scales, 1)[:, None]
    borders = (values[1:] + values[:-1]) / 2
    return np.searchsorted(borders, scaled).ravel(), scales
    # <<<


def dequantize(codes, scales, values, block):
    # >>> look up, and give each block its scale back
    return (values[codes].reshape(len(scales), block) * scales[:, None]).ravel()
    # <<<
