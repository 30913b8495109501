# expect: wild laws have a cost
# means: exp was taken of the terms themselves: from 710 on it is infinite in float64, and below -745 it is 0.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    law = np.exp(e) + np.exp(a - alpha * log_n) + np.exp(b - beta * log_d)
    r = np.abs(np.log(law) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
