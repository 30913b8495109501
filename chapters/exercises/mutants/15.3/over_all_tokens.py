# expect: what stood behind it the last time
# means: The mean was taken over all tokens, also over those that were not there before.
import numpy as np


def induction_score(weights, tokens):
    sums = [
        sum((weights[b, :, t, s + 1] for s in range(t) if tokens[b][s] == tokens[b][t]), np.zeros(weights.shape[1]))
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
    ]
    return np.mean(sums, 0)
