# expect: own length by hand
# means: The first token does not count: places are counted from 1.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = (np.arange(longest) < lengths[:, None]) & (np.arange(longest) > 0)
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there / below
