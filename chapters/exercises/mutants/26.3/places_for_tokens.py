# expect: all tokens by hand
# means: All places of the table are counted, as for "constant", and not the tokens that are there.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) < lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = there.size
    else:
        below = len(lengths) * longest
    return there / below
