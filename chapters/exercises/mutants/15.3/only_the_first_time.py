# expect: all earlier places count
# means: Only the first of the earlier places was counted.
import numpy as np


def induction_score(weights, tokens):
    sums = []
    for b in range(len(tokens)):
        for t in range(len(tokens[b])):
            earlier = [s for s in range(t) if tokens[b][s] == tokens[b][t]]
            if earlier:
                sums.append(weights[b, :, t, earlier[0] + 1])
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
