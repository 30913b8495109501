# expect: own length by hand
# means: Places behind the last token count as well.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.ones((len(lengths), longest))
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = lengths.sum()
    else:
        below = len(lengths) * longest
    return there / below
