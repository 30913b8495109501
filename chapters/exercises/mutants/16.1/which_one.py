# expect: one order that changes nothing
# means: Which shingle comes first was returned, its place in `hashes`, and not its new number.
import numpy as np


def signature(hashes, a, b):
    return (hashes[:, None] * a + b).argmin(0).astype(np.uint32)
