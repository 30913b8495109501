# expect: far above the mean and the first nothing overflows
# means: The score of the first expert is taken off, not the largest of the token.
import numpy as np


def route(scores, chosen):
    which = np.argsort(-scores, axis=1, kind="stable")[:, :chosen]
    shares = np.exp(np.take_along_axis(scores, which, 1) - scores[:, :1])
    return which, shares / shares.sum(axis=1, keepdims=True)
