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
from tinygrad_llm.course import Todo


def quantize(w, values, block):
    raise Todo("scale each block, then find the nearest value")


def dequantize(codes, scales, values, block):
    raise Todo("look up, and give each block its scale back")
