# expect: what stood behind it the last time
# means: The share of what stood in front of the earlier place was taken: asked for is what stood behind it.
import numpy as np


def induction_score(weights, tokens):
    sums = []
    for b in range(len(tokens)):
        for t in range(len(tokens[b])):
            earlier = [s for s in range(t) if tokens[b][s] == tokens[b][t]]
            if earlier:
                sums.append(sum(weights[b, :, t, s - 1] for s in earlier))
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
