# expect: what stood behind it the last time
# means: The share of the earlier token itself was taken: asked for is what stood behind it.
import numpy as np


def induction_score(weights, tokens):
    sums = [
        sum(weights[b, :, t, s] for s in range(t) if tokens[b][s] == tokens[b][t])
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
        if tokens[b][t] in tokens[b][:t]
    ]
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
