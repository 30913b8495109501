"""17.2  How far is a law from what was measured?

R runs are given as arrays (R,): `log_n` = ln N, `log_d` = ln D, `log_loss` = ln of the loss that was measured.
A law is `theta`, five numbers: ln E, ln A, ln B, alpha, beta. It says

    L(N, D) = E + A / N^alpha + B / D^beta

Each run's residual is r = ln L(N, D) - log_loss, and it costs, as Huber's loss,

    r^2 / 2                      where |r| <= delta
    delta (|r| - delta / 2)      where it is larger

so that one run that failed does not bend the law for all others. Return the sum over runs, a float.

Whoever looks for theta tries wild ones. ln A may be 1000, and its exponential is no number any more; still ln L is one.
"""

import numpy as np
from tinygrad_llm.course import Todo


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    raise Todo("a float")
