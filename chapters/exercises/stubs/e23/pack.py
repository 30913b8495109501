"""23.3  Two codes a byte.

A code of four bits is a number from 0 to 15, and memory has bytes of eight. So two codes share one: the earlier in the
upper four bits, the later in the lower four. Where their number is odd, the last byte has 0 in its lower half.

    pack(codes)            -> (ceil(N / 2),) uint8
    unpack(packed, count)  -> (N,) uint8, the `count` codes that were packed

    codes  (N,) uint8, from 0 to 15
"""

import numpy as np
from tinygrad_llm.course import Todo


def pack(codes):
    raise Todo("the even places move up, the odd places stay")


def unpack(packed, count):
    raise Todo("both halves, side by side, and no more than there were")
