"""19.2  The balance loss.

N tokens each have shares of E experts, which add up to 1, and go through C of them. How unevenly are the experts used?

    loss = E (f_1 P_1 + … + f_E P_E)

    f_e  how many tokens chose e, over N: all f add up to C
    P_e  the mean of the share that tokens give to e: all P add up to 1

    balance_loss(shares, chosen)        -> the loss, a number
    balance_gradient(shares, chosen)    -> dloss/dshares, (N, E)

    shares  (N, E); chosen  (N, C), the numbers of the experts of each token, no two of a token alike

For the gradient f is a constant: to be chosen or not is a step, and has no slope.
"""

import numpy as np
from tinygrad_llm.course import Todo


def balance_loss(shares, chosen):
    raise Todo("how often each was chosen, times what it was given")


def balance_gradient(shares, chosen):
    raise Todo("the same row for every token")
