# expect: an odd one has nothing below
# means: The last of an odd number stands in the lower half; it belongs in the upper.
import numpy as np


def pack(codes):
    out = np.zeros((len(codes) + 1) // 2, np.uint8)
    whole = len(codes) // 2 * 2
    out[: whole // 2] = codes[0:whole:2] << 4 | codes[1:whole:2]
    if len(codes) % 2:
        out[-1] = codes[-1]
    return out


def unpack(packed, count):
    return np.stack([packed >> 4, packed & 15], axis=1).ravel()[:count]
