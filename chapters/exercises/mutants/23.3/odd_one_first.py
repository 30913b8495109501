# expect: an odd one has nothing below
# means: What fills up an odd number stands in front; it belongs behind.
import numpy as np


def pack(codes):
    even = np.append(np.zeros(len(codes) % 2, np.uint8), codes)
    return (even[0::2] << 4 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
