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
from tinygrad_llm.course import Todo


def route(scores, chosen):
    raise Todo("first who, then how much")
