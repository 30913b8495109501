# expect: own length by hand
# means: "own length" and "all tokens" are exchanged.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) < lengths[:, None]
    if kind == "all tokens":
        below = len(lengths) * lengths[:, None]
    elif kind == "own length":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there / below
