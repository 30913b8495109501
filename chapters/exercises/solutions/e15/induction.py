"""15.3  The heads that look behind.

An *induction head* does this: at a token that was there before, it looks at what stood behind it then. Measure how much
of a head's attention does.

`tokens` (B, T) are B texts, `weights` (B, H, T, T) the attention that each of H heads pays in them: weights[b, h, t, s]
is the share that token t gives to token s. For a head, take every token that stands earlier in its text as well, be it
once or several times, and add up the shares that it gives to the tokens directly behind those earlier places. The score
is the mean of these sums over all such tokens of all texts, each counting alike. Return the scores (H,).

    tokens 5 8 6 5      Only the last 5 was there before, at place 0. Behind that stood 8, at place 1.
                        So the score of head h is weights[0, h, 3, 1].

A token that stands directly before t has t itself behind it: that counts too. Where no token of any text comes again,
there is no score: return NaN for each head.
"""

import numpy as np


def induction_score(weights, tokens):
    # >>> (H,)
    sums = [
        sum(weights[b, :, t, s + 1] for s in range(t) if tokens[b][s] == tokens[b][t])
        for b in range(len(tokens))
        for t in range(len(tokens[b]))
        if tokens[b][t] in tokens[b][:t]
    ]
    return np.mean(sums, 0) if sums else np.full(weights.shape[1], np.nan)
    # <<<
