# expect: a token that comes twice in a row
# means: An earlier place directly before was left out: then the token looks at itself, and that counts.
import numpy as np


def induction_score(weights, tokens):
    sums = []
    for b in range(len(tokens)):
        for t in range(len(tokens[b])):
            earlier = [s for s in range(t - 1) if tokens[b][s] == tokens[b][t]]
            if tokens[b][t] in tokens[b][:t]:
                sums.append(sum((weights[b, :, t, s + 1] for s in earlier), np.zeros(weights.shape[1])))
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
