# expect: back come both halves
# means: The upper half is still in what should be the lower one.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return (even[0::2] << 4 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed], axis=1).ravel()[:count]
