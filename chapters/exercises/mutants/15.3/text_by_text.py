# expect: each token counts alike
# means: A mean was taken for each text, and then the mean of these: each token counts alike.
import numpy as np


def induction_score(weights, tokens):
    texts = []
    for b in range(len(tokens)):
        sums = [
            sum(weights[b, :, t, s + 1] for s in range(t) if tokens[b][s] == tokens[b][t])
            for t in range(len(tokens[b]))
            if tokens[b][t] in tokens[b][:t]
        ]
        if sums:
            texts.append(np.mean(sums, 0))
    return np.mean(texts, 0) if texts else np.full(weights.shape[1], np.nan)
