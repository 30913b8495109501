# expect: the earlier code is in the upper half
# means: A + binds closer than <<: the later code is added to the number of places. Parentheses, or |.
import numpy as np


def pack(codes):
    even = np.append(codes, np.zeros(len(codes) % 2, np.uint8))
    return even[0::2] << 4 + even[1::2]


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
