# expect: nothing that comes again has no score
# means: 0 was returned where no token comes again: NaN is asked for.
import numpy as np


def induction_score(weights, tokens):
    sums = [
        sum(weights[b, :, t, s + 1] for s in range(t) if tokens[b][s] == tokens[b][t])
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
        if tokens[b][t] in tokens[b][:t]
    ]
    return np.mean(sums, 0) if sums else np.zeros(weights.shape[1])
