# expect: one order that changes nothing
# means: Only the first shingle was mapped.
import numpy as np


def signature(hashes, a, b):
    return hashes[0] * a + b
