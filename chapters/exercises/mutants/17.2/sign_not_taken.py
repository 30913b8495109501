# expect: large ones are not
# means: The line was taken of r and not of |r|: a law that is far too low costs less than nothing.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d)) - log_loss
    return float(np.where(np.abs(r) <= delta, r**2 / 2, delta * (r - delta / 2)).sum())
