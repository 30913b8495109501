# expect: neighbours share a byte
# means: The first half of the codes is put above the second half; neighbours are to share a byte.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return (even[: len(even) // 2] << 4 | even[len(even) // 2 :]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
