# expect: new numbers are modulo
# means: The new numbers were not taken modulo 2^32: as Python's or 64-bit numbers they grow beyond it.
import numpy as np


def signature(hashes, a, b):
    wide = hashes[:, None].astype(np.int64) * a.astype(np.int64) + b
    return np.minimum(wide.min(0), 2**32 - 1).astype(np.uint32)
