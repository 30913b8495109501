# expect: later places do not count
# means: Later places of the same token were counted, too.
import numpy as np


def induction_score(weights, tokens):
    sums = []
    for b in range(len(tokens)):
        for t in range(len(tokens[b])):
            earlier = [s for s in range(len(tokens[b]) - 1) if s != t and tokens[b][s] == tokens[b][t]]
            if tokens[b][t] in tokens[b][:t]:
                sums.append(sum(weights[b, :, t, s + 1] for s in earlier))
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
