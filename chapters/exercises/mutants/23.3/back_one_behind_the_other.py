# expect: back come both halves
# means: All upper halves come back before all lower ones.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return (even[0::2] << 4 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.concatenate([packed >> 4, packed & 15])[:count]
