# expect: an odd one has nothing below
# means: The last of an odd number of codes is lost.
import numpy as np


def pack(codes):
    whole = codes[: len(codes) // 2 * 2]
    return (whole[0::2] << 4 | whole[1::2]).astype(np.uint8)


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
