# expect: own length by hand
# means: Rows are places and columns are answers: it stands transposed.
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
    return (there / below).T
