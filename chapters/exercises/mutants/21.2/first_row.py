# expect: rows do not mix
# means: All rows have the mask of the first.
import numpy as np


def text_mask(texts):
    return np.repeat(texts[:1, None, :, None] == texts[:1, None, None, :], len(texts), 0)
