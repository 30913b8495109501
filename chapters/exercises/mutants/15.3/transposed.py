# expect: what stood behind it the last time
# means: Query and key were exchanged: weights[b, h, t, s] is what t gives to s.
import numpy as np


def induction_score(weights, tokens):
    sums = [
        sum(weights[b, :, s + 1, t] for s in range(t) if tokens[b][s] == tokens[b][t])
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
        if tokens[b][t] in tokens[b][:t]
    ]
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
