"""19.1  Which experts, and how much of each.

A router gives each token a score for each of E experts. The token goes through the C with the highest scores. What they
say is added up with weights that are positive and add up to 1:

    shares = softmax(scores) over all E experts
    weight_j = share_j / (the sum of the shares of those chosen)

    route(scores, chosen)    -> which, weights

    scores   (N, E), of N tokens
    chosen   C, from 1 to E
    which    (N, C) whole numbers: the experts of each token, the highest score first
    weights  (N, C): the weight of each of them

Scores may be large: exp(1000) is already inf.
"""

import numpy as np


def route(scores, chosen):
    # >>> first who, then how much
    which = np.argsort(-scores, axis=1, kind="stable")[:, :chosen]
    best = np.take_along_axis(scores, which, 1)
    shares = np.exp(best - best.max(axis=1, keepdims=True))
    return which, shares / shares.sum(axis=1, keepdims=True)
    # <<<
