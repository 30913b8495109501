# expect: an odd one has nothing below
# means: The lower half of the last byte is full; 0 is to stand there.
import numpy as np


def pack(codes):
    even = np.append(codes, np.full(len(codes) % 2, 15, np.uint8))
    return (even[0::2] << 4 | even[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
