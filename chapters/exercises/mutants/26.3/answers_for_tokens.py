# expect: all tokens by hand
# means: Divided by the number of answers, and not by that of their tokens.
import numpy as np


def token_weights(lengths, kind, longest):
    lengths = np.asarray(lengths)
    there = np.arange(longest) < lengths[:, None]
    if kind == "own length":
        below = len(lengths) * lengths[:, None]
    elif kind == "all tokens":
        below = len(lengths)
    else:
        below = len(lengths) * longest
    return there / below
