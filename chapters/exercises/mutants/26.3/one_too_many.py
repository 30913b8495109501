# expect: own length by hand
# means: A place too many counts: the one behind the last token.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) <= lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there / below
