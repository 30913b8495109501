# expect: back come both halves
# means: 16 is one bit above the lower half; 15 is its four bits.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return (even[0::2] << 4 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 16], axis=1).ravel()[:count]
