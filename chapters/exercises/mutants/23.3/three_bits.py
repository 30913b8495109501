# expect: the earlier code is in the upper half
# means: The upper half begins four bits further up, not three.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return (even[0::2] << 3 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
