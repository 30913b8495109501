"""10.1  Clocks.

    p[t, 2i]     = sin(t / 10000^(2i / D))
    p[t, 2i + 1] = cos(t / 10000^(2i / D))        (T, D), D even, i = 0 .. D/2 - 1

Each pair of columns is the hand of a clock: sine and cosine of one angle. The first hand turns by 1 a position, each
next one slower. Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5.
"""

import numpy as np
from tinygrad_llm.course import Todo


def sinusoidal_table(length, width):
    raise Todo("(length, width)")
