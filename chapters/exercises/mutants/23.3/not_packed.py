# expect: the earlier code is in the upper half
# means: Each code has a byte of its own.
import numpy as np


def pack(codes):
    return codes


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
