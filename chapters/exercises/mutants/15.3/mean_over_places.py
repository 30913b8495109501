# expect: all earlier places count
# means: Each earlier place was counted by itself: the shares of one token are added up first.
import numpy as np


def induction_score(weights, tokens):
    shares = [
        weights[b, :, t, s + 1]
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
        for s in range(t)
        if tokens[b][s] == tokens[b][t]
    ]
    return np.mean(shares, 0) if shares else np.full(weights.shape[1], np.nan)
