# expect: small residuals are squared
# means: The square was not halved: then it does not meet the line at |r| = delta.
import numpy as np


def law_objective(theta, log_n, log_d, log_loss, delta=1e-3):
    e, a, b, alpha, beta = theta
    r = np.abs(np.logaddexp(e, np.logaddexp(a - alpha * log_n, b - beta * log_d)) - log_loss)
    return float(np.where(r <= delta, r**2, delta * (r - delta / 2)).sum())
