# expect: each head has a score
# means: The mean was taken over the heads, too: each has a score of its own.
import numpy as np


def induction_score(weights, tokens):
    sums = []
    for b in range(len(tokens)):
        for t in range(len(tokens[b])):
            earlier = [s for s in range(t) if tokens[b][s] == tokens[b][t]]
            if earlier:
                sums.append(sum(weights[b, :, t, s + 1] for s in earlier))
    return np.full(weights.shape[1], np.mean(sums) if sums else np.nan)
