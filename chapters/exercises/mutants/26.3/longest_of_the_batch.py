# expect: constant by hand
# means: The longest answer of this batch stands below, and not the longest that there may be.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) < lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * lengths.max()
    return there / below
