# expect: costs nothing
# means: theta was taken for E, A and B themselves: it holds their logarithms.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.abs(np.log(e + a * np.exp(-alpha * log_n) + b * np.exp(-beta * log_d)) - log_loss)
    return float(np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
