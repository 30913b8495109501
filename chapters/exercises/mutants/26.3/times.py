# expect: own length by hand
# means: It is multiplied where it is to be divided.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) < lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there * below
