"""02.1  Un-broadcasting.

An array of some shape was repeated, as NumPy does it, until it had the shape of g. What is its gradient? It was used
once in every place where it was repeated, so sum g over the axes

    that were not there before (they come first), and
    that had size 1 and were stretched (they stay, with size 1).

    unbroadcast(g, shape) -> an array of that shape
"""

import numpy as np
from tinygrad_llm.course import Todo


def unbroadcast(g, shape):
    raise Todo("sum away the new axes, then sum the stretched ones")
