# expect: scores are told apart where shares are not
# means: The experts are chosen by their shares, of which small ones are all 0.
import numpy as np


def route(scores, chosen):
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    which = np.argsort(-shares, axis=1, kind="stable")[:, :chosen]
    best = np.take_along_axis(scores, which, 1)
    weights = np.exp(best - best.max(axis=1, keepdims=True))
    return which, weights / weights.sum(axis=1, keepdims=True)
